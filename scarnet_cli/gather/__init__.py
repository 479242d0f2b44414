"""Merging the fragments of all batches into the tables of the cohort, with every study accounted for."""
