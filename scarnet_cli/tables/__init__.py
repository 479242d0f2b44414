"""The tables of a cohort: their columns, reading and writing them, flags and failures."""
