"""Feeds: one model, three formats."""
