"""DICOM in and out. Here: from files to a volume; in rooms below: index, series, results, de-identification, made."""
