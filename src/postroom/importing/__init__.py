"""Import: feeds and exports of other publishers become posts of the posts folder."""
