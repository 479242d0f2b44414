"""DICOM made from volumes, in the habits of several vendors."""
