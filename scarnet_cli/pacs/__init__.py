"""Studies from a DICOMweb server (PACS): query (QIDO-RS), retrieve (WADO-RS), and the client for storing (STOW-RS)."""
