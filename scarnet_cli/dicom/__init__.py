"""DICOM in and out: index, series selection, geometry, writing."""
