"""Running a stage over a batch of studies, each on its own, with failures recorded."""
