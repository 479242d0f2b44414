"""The tables of a cohort: their columns, their reading and writing, flags and failures."""
