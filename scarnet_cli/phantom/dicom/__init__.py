"""DICOM studies written from volumes in the manner of several vendors."""
