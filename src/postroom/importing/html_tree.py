"""HTML of strangers as a tree: bounded first, then parsed by lxml's forgiving parser."""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup

from postroom.errors import PostError, PostroomError
from postroom.posts.sanitise import check_nesting

MAX_HTML = 4 * 1024 * 1024
"""Characters of one text; a post's file holds at most one million octets."""
DATA_PICTURE = re.compile(r"data:image/[\w.+-]{1,40};base64,[A-Za-z0-9+/=\s]{16,}")


class TooDeepError(PostroomError):
    """A text that no parser should be given."""


def parse_html(text: str) -> Any:
    """Return `text` as a soup; raises TooDeepError for what is too large or too deep."""
    short = DATA_PICTURE.sub("", text) if "data:" in text else text
    if len(short) > MAX_HTML:
        raise TooDeepError(f"its text has more than {MAX_HTML:,} characters")
    try:
        check_nesting(short, "")
    except PostError as error:
        raise TooDeepError(
            f"its text cannot be read: {error.problem.message}"
        ) from None
    # Text without any tag makes the library warn that it could be a file's name.
    return BeautifulSoup(text if "<" in text else f"<!---->{text}", "lxml")


def inner_html(tag: Any) -> str:
    """Return what stands within an element."""
    return str(tag.decode_contents())
