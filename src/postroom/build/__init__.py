"""From the posts folder to feeds and pages: one repeatable step of every run."""
