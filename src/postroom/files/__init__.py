"""The folder of posts, the output folder, the lock."""
