"""From publications and subscribers to frozen editions, and from claims to messages."""
