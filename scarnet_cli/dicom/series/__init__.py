"""What a study holds, and which stack of it is measured: rules, evidence, order of preference."""
