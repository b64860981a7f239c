"""The text part: the same contents for terminals, watches and people who prefer it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from postroom.errors import TemplateError
from postroom.mail.characters import clean_text
from postroom.mail.flowed import (
    SIGNATURE,
    deletes_blanks,
    flow_paragraph,
    flow_text,
    stuff_lines,
)
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.site.theme import render_template

if TYPE_CHECKING:
    import jinja2

    from postroom.mail.contents import Contents

TEMPLATE = "letter/letter.txt"

BODY_LIMIT = 100_000
"""Characters of a single post; whoever reads more of it in a terminal follows the link."""


def render_text(
    contents: Contents, environment: jinja2.Environment, *, body: str = ""
) -> str:
    """Return the letter as flowed text (RFC 3676) with its holes, lines ended by LF.

    `body` is a single post's own text. Raises TemplateError.
    """
    delsp = deletes_blanks(contents.language)
    values = {
        "letter": contents,
        "words": contents.words,
        "body": _shorten(clean_text(body).strip("\n")),
        "flow": functools.partial(flow_paragraph, delsp=delsp),
        "flow_body": functools.partial(flow_text, delsp=delsp),
        "signature": SIGNATURE,
        "unsubscribe": UNSUBSCRIBE_HOLE,
        "preferences": PREFERENCES_HOLE,
    }
    text = render_template(environment, TEMPLATE, values).strip("\n")
    if UNSUBSCRIBE_HOLE not in text:
        raise TemplateError(
            f"templates/{TEMPLATE}: there is no link to leave",
            cure="write {{ unsubscribe }} on a line of its own",
        )
    return stuff_lines(text) + "\n"


def _shorten(body: str) -> str:
    """Return `body`, or its beginning up to the last blank line that fits."""
    if len(body) <= BODY_LIMIT:
        return body
    end = body.rfind("\n\n", 0, BODY_LIMIT)
    return body[: end if end > 0 else BODY_LIMIT].rstrip()
