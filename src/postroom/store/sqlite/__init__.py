"""The store on one SQLite file, with the standard library alone."""
