"""What is due, for whom, and with which posts."""
