"""What is served over HTTP: the published files."""
