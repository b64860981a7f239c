"""A first postroom.toml: for a new site, or read off a blog that exists already."""
