"""What a file of a picture must be to be stored beside a post."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from urllib.parse import unquote, urlsplit

from postroom.posts.slug import build_slug

MAX_PICTURE = 20 * 1024 * 1024
"""Octets of one picture; a camera's full photograph has 15 million."""
MAX_ALL = 2 * 1024 * 1024 * 1024
"""Octets of all pictures of one import."""
MAX_PER_POST = 200
DIGEST = 10
"""Hex digits of the address in a name: equal names of two folders stay apart."""
NAME_LENGTH = 60

SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), ".png"),
    (re.compile(rb"\xff\xd8\xff"), ".jpg"),
    (re.compile(rb"GIF8[79]a"), ".gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), ".webp"),
    (re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL), ".avif"),
)
SVG = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>\[]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]",
    re.DOTALL,
)
ACTS = re.compile(
    rb"<\s*(?:\w+:)?(?:script|foreignObject|iframe|embed|object|handler|animate|set)\b|\son\w+\s*=|javascript:|<!ENTITY|&#|xlink:href\s*=\s*[\"'](?!#|data:image/)|@import|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)
"""What runs, fetches or hides in an SVG; a drawing needs none of it."""
DATA = re.compile(r"data:image/[\w.+-]{1,40};base64,(.*)", re.DOTALL)


def ending_of(data: bytes) -> str:
    """Return `.png`, `.jpg`, … by the first octets; nothing for what is no picture."""
    for signature, ending in SIGNATURES:
        if signature.match(data):
            return ending
    text = data.removeprefix(b"\xef\xbb\xbf")
    return ".svg" if SVG.match(text[:4096]) and not ACTS.search(text) else ""


def stem_of(url: str) -> str:
    """Return the name, without ending, under which the picture of `url` is stored."""
    digest = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:DIGEST]
    if url.startswith("data:"):
        return f"picture-{digest}"
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        name = ""
    slug = build_slug(name.rpartition(".")[0] or name)[:NAME_LENGTH].strip("-_")
    return f"{slug or 'picture'}-{digest}"


def decode_data(url: str) -> bytes:
    """Return the octets of a `data:` address; nothing when it holds none."""
    found = DATA.fullmatch(url)
    try:
        return base64.b64decode("".join(found[1].split())) if found else b""
    except (binascii.Error, ValueError):
        return b""
