"""Choose the stack of a study to measure: rules, evidence, order of preference."""
