"""Localising the heart and segmenting it."""
