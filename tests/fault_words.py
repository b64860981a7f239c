"""What a failing SMTP server says, by the names of its faults."""

from __future__ import annotations

LAST_WORDS = {
    "drop": b"",
    "taken": b"",
    "half": b"25",
    "garbage": b"what was that?\r\n",
    "html": b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>\r\n",
    "binary": bytes(range(256)) + b"\r\n",
    "endless": b"250 2.0.0 kept",
    "torn": b"250-2.0.0 kept\r\n250",
    "mixed": b"250-2.0.0 kept\r\n550 5.0.0 or not\r\n",
    "lf": b"250 2.0.0 kept\n",
    "after": b"%b\r\n",
    "bye": b"%b\r\n421 4.4.2 enough for today\r\n",
}
"""Said before the connection closes; `%b` is the proper reply."""
CLUMSY = {
    "twice": b"%b\r\n550 5.0.0 no\r\n",
    "silent": b"",
    "early": b"%b\r\n250 2.0.0 kept\r\n",
}
"""Said while the connection stays."""
PAUSES = {"late": 0.1, "tardy": 0.7}
"""Seconds before the proper reply."""
NOT_TAKING = {"drop", "half", "garbage", "html", "binary", "deaf"}
"""Faults at the dot that leave the message with the client; codes of 3yz to 5yz too."""

LONG = 1_000_000
MANY = 10_000
DRIP_SECONDS = 0.1


def fault_of(address: str) -> tuple[str, str]:
    """(step, fault) that an address asks for; the status `5.1.1` holds dots."""
    local = address.partition("@")[0]
    if not local.startswith("f."):
        return "", ""
    _, step, rest = local.split(".", 2)
    return step, rest.rpartition(".")[0]
