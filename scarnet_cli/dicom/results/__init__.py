"""Results as DICOM: Segmentation, Structured Report, and the headers that they are made from."""
