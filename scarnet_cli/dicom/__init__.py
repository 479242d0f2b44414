"""DICOM in and out. Here: from files to a volume; in rooms below: series, results, de-identification."""
