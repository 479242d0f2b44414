"""Results as DICOM: Segmentation and Structured Report, and the source headers that they refer to."""
