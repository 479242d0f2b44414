"""What lies in the input, and what each file holds: swept, read, remembered."""
