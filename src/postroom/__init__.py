"""postroom turns a folder of posts into feeds and letters."""
