"""INDEX: find the studies of an input, choose a stack for each, and cut the studies into batches."""
