"""The path of a request as names of folders and a file, or nothing when it is none of ours.

Segments are split first and decoded then (RFC 3986 §2.4), so that an encoded slash is part
of a name, and no name of ours has one.
"""

from __future__ import annotations

import re
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from postroom.files.output import TEMPORARY

MAX_PATH = 4096
"""Octets; Linux takes no longer path, and no link of ours is near it."""
ABSOLUTE_FORM = re.compile(rb"https?://[^/]*", re.IGNORECASE)
"""What a proxy may put before the path (RFC 9112 §3.2.2)."""
FOREIGN = re.compile(r"[\x00-\x1f\x7f/\\]")
WELL_KNOWN = ".well-known"
"""The one hidden folder that is meant to be seen (RFC 8615)."""


def parse_path(raw: bytes) -> tuple[str, ...] | None:
    """Return the decoded segments, the last one empty behind a `/`; None for a path of no file.

    Hidden names, `.` and `..`, empty segments, backslashes, control characters, what is not
    UTF-8 and files that are not finished name nothing. Names are NFC, as the build writes
    them: a path copied from a Mac's Finder finds its page.
    """
    if not raw.startswith(b"/"):
        found = ABSOLUTE_FORM.match(raw)
        if not found:
            return None
        raw = raw[found.end() :] or b"/"
    if len(raw) > MAX_PATH:
        return None
    *folders, name = raw[1:].split(b"/")
    segments = [_parse_segment(folder) for folder in folders]
    segments.append(_parse_segment(name) if name else "")
    if not all(segments[:-1]) or segments[-1] is None:
        return None
    return tuple(segment for segment in segments if segment is not None)


def _parse_segment(raw: bytes) -> str | None:
    try:
        segment = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not segment or FOREIGN.search(segment) or segment.endswith(TEMPORARY):
        return None
    if segment.startswith(".") and segment != WELL_KNOWN:
        return None
    return segment if segment.isascii() else normalize("NFC", segment)


def location(segments: tuple[str, ...]) -> str:
    """Return segments as a reference without scheme and host (RFC 3986 §4.2).

    It begins with one slash and a name that `parse_path` let through, so it cannot lead to
    another host.
    """
    return "/" + quote("/".join(segments), safe="/~")
