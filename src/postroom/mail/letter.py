"""A letter: one variant's subject, HTML and text, with holes for what is personal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.mail.settings import LetterSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from postroom.posts.post import Post

__all__ = [
    "PREFERENCES_HOLE",
    "UNSUBSCRIBE_HOLE",
    "Letter",
    "LetterSettings",
    "render_letter",
]

CLIP = 98_000
"""Octets of HTML: Gmail hides what comes after about 99.5 thousand."""
POST_LIMITS = (72_000, 36_000, 18_000, 0)
"""Octets of a full post, tried in turn: inlined styles add to it what nobody can foresee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A rendered variant; `html` and `text` hold holes that a message fills."""

    language: str
    subject: str
    preheader: str
    html: str
    text: str


def render_letter(
    posts: Sequence[Post], settings: LetterSettings, environment: jinja2.Environment
) -> Letter:
    """Render the letter of `posts` (at least one, the lead first).

    A single post is carried whole, several as excerpts. Raises TemplateError when a
    template cannot be rendered, or does not say where its reader can leave.
    """
    # Rendering costs 100 ms of imports; a run that only sends letters needs the value.
    from postroom.mail.contents import build_contents  # noqa: PLC0415 - see above
    from postroom.mail.full_post import fit_post  # noqa: PLC0415 - see above
    from postroom.mail.html_part import render_html  # noqa: PLC0415 - see above
    from postroom.mail.text_part import render_text  # noqa: PLC0415 - see above

    contents = build_contents(posts, settings)
    text = html = ""
    if len(posts) == 1:
        for limit in POST_LIMITS:
            body, cut = fit_post(posts[0].html, limit)
            html = render_html(contents, environment, body=body, cut=cut)
            text = posts[0].text if body else ""
            if len(html.encode()) <= CLIP:
                break
    else:
        html = render_html(contents, environment)
    return Letter(
        language=contents.language,
        subject=contents.subject,
        preheader=contents.preheader,
        html=html,
        text=render_text(contents, environment, body=text),
    )
