"""From the fragments of all batches to the tables of the cohort, with every study accounted for."""
