"""Comparison of systems: cross-validation, scores, cost, and their page."""
