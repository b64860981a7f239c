"""Conditional requests (RFC 9110 §13): whether the client has the file already."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
WEAK = "W/"
MAX_DATE = 40
"""Octets. The longest form takes 33; two dates in one field are none (§13.1.3)."""


def judge(
    fields: Mapping[str, str], tag: str, modified: int | None
) -> HTTPStatus | None:
    """Return 304, 412, or None when the answer is the file, in the order of §13.2.2.

    `fields` have lower-case names, `tag` is of what would be sent, `modified` are seconds
    since 1970, None when Last-Modified is not sent. A date that is none is passed over.
    """
    if _must_fail(fields, tag, modified):
        return HTTPStatus.PRECONDITION_FAILED
    tags = fields.get("if-none-match")
    if tags is not None:
        known = _names(tags, tag, strong=False)
        return HTTPStatus.NOT_MODIFIED if known else None
    since = parse_date(fields.get("if-modified-since"))
    if modified is not None and since is not None and modified <= since:
        return HTTPStatus.NOT_MODIFIED
    return None


def _must_fail(fields: Mapping[str, str], tag: str, modified: int | None) -> bool:
    """What the client wants a part of is no longer what it began with."""
    tags = fields.get("if-match")
    if tags is not None:
        return not _names(tags, tag, strong=True)
    since = parse_date(fields.get("if-unmodified-since"))
    return since is not None and modified is not None and modified > since


def range_holds(validator: str | None, tag: str, modified: int | None) -> bool:
    """Whether a range may be sent: If-Range (§13.1.5) is absent, or strongly this file."""
    if validator is None:
        return True
    if '"' in validator:
        return validator.strip() == tag and not tag.startswith(WEAK)
    return modified is not None and parse_date(validator) == modified


def _names(tags: str, tag: str, *, strong: bool) -> bool:
    """Whether a list of entity tags, or `*`, names `tag` (§8.8.3.2)."""
    if tags.strip() == "*":
        return True
    listed = ENTITY_TAG.findall(tags)
    if strong:
        return tag in listed and not tag.startswith(WEAK)
    return tag.removeprefix(WEAK) in {each.removeprefix(WEAK) for each in listed}


def parse_date(field: str | None) -> int | None:
    """Return an HTTP date (§5.6.7, the obsolete forms too) as seconds since 1970.

    Readers that write `+0000` for `GMT` are understood.
    """
    if field is None or len(field) > MAX_DATE:
        return None
    try:
        found = parsedate_to_datetime(field)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
