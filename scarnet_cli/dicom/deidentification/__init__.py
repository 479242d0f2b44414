"""De-identification: pseudonyms, data sets, words."""
