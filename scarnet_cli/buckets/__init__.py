"""Studies in a bucket of an object store: objects are listed and read by ranges, by the same calls as local files."""
