"""Faults of machines, settings and studies, injected for real; docs/reliability.md shows what came of each."""
