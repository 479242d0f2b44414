"""DICOM in and out: files to a volume here; series selection, results and de-identification in the packages below."""
