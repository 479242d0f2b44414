"""Systems compared: cross-validation, scores, cost, and their page."""
