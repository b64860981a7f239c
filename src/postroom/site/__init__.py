"""The web pages: index, posts, topics, follow."""
