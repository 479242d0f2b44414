"""Figures and tables of a finished run, for a paper."""
