"""The files of an input: finding them, reading what is new, remembering what was read."""
