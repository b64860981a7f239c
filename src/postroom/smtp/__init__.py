"""Handing messages over: to a relay, or into a folder."""
