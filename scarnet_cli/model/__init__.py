"""Networks, their registry and their weights files."""
