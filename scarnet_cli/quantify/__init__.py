"""Measures of scar, from arrays and geometry alone."""
