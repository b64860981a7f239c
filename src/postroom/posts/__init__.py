"""Posts: from the bytes of a source file to a value with safe HTML and an excerpt."""
