"""The version as a constant: asking the package metadata costs 40 ms."""

VERSION = "0.1.0"
