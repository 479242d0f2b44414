"""The report: its index, its study pages and their pictures."""
