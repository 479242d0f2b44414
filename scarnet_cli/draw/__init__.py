"""Pictures: overlays on images, plots, SVG."""
