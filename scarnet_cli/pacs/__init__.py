"""DICOMweb (PACS): query studies (QIDO-RS), retrieve them (WADO-RS) and store results (STOW-RS)."""
