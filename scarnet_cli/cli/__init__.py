"""Thin click commands, one per file."""
