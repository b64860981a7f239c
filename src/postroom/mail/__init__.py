"""Letters and messages: from a digest to RFC 5322 bytes and back from replies."""
