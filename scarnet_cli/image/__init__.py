"""Volumes, grids and intensities: the bottom room."""
