"""Running a stage over a batch: each study on its own, its failures written down."""
