"""De-identification of data sets and free text, with pseudonyms."""
