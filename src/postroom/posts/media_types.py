"""What a file is, by the ending of its name: a table, since each system's own differs."""

from __future__ import annotations

OCTETS = "application/octet-stream"
"""Of a file that nobody knows (RFC 2046 §4.5.1)."""

TYPES = {
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mid": "audio/midi",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "m4v": "video/mp4",
    "mkv": "video/matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "hwp": "application/x-hwp",
    "hwpx": "application/hwp+zip",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "zip": "application/zip",
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}

TRANSCRIPT_TYPES = {
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "srt": "application/x-subrip",
    "txt": "text/plain",
    "vtt": "text/vtt",
}
"""The types that readers of podcasts know."""


def type_of(url: str) -> str:
    """Return the media type of the file at `url`, or nothing when its ending is unknown."""
    return TYPES.get(ending_of(url), "")


def ending_of(url: str) -> str:
    """Return the ending of the last part of a path or an address, in lower case."""
    name = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    return ending.lower() if stem else ""
