"""Agreement with experts' contours: overlap, distances and agreement of measures."""
