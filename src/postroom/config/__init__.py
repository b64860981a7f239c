"""The configuration: values, sections, where keys stand, how it is all read."""
