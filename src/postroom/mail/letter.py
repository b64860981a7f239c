"""A letter: one variant's subject, HTML and text, with holes for what is personal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.mail.settings import LetterSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from postroom.mail.contents import Contents
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
POST_LIMITS = (72_000, 36_000, 18_000)
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
    from postroom.mail.html_part import render_html  # noqa: PLC0415 - see above
    from postroom.mail.text_part import render_text  # noqa: PLC0415 - see above

    contents = build_contents(posts, settings)
    body = ""
    if len(posts) == 1:
        body, html = _render_whole(posts[0], contents, environment)
    else:
        html = render_html(contents, environment)
    text = render_text(contents, environment, body=posts[0].text if body else "")
    return Letter(
        language=contents.language,
        subject=contents.subject,
        preheader=contents.preheader,
        html=html,
        text=text,
    )


def _render_whole(
    post: Post, contents: Contents, environment: jinja2.Environment
) -> tuple[str, str]:
    """Return what of `post` the letter carries, and the letter as HTML.

    As much as Gmail shows; nothing when not even a piece of it fits.
    """
    from postroom.mail.full_post import fit_post  # noqa: PLC0415 - see render_letter
    from postroom.mail.html_part import render_html  # noqa: PLC0415 - see render_letter

    for limit in POST_LIMITS:
        body, cut = fit_post(post.html, limit)
        html = render_html(contents, environment, body=body, cut=cut)
        if len(html.encode()) <= CLIP:
            return body, html
    return "", render_html(contents, environment)
