"""Agreement with experts' contours."""
