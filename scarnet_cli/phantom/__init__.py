"""Made hearts with known answers."""
