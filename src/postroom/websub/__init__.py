"""Tell a WebSub hub which feeds changed (W3C WebSub §5, the publisher's side)."""
