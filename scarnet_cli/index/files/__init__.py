"""Find the files of an input, read those that are new, and remember what was read."""
