"""Batches, failures, tables and accounting."""
