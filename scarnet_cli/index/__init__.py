"""INDEX: from an input to its studies, their image stacks and the batches that they travel in."""
