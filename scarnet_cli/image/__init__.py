"""Volumes, grids and intensities: the room on which the others build."""
