"""Drawing: overlays on images, plots and SVG."""
