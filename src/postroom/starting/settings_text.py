"""The text of a first postroom.toml: what differs from the defaults, with a word each."""

from __future__ import annotations

import json
from dataclasses import dataclass

REFERENCE = (
    "Every key, its default and a word about it: the postroom.toml of postroom itself"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values of a first postroom.toml; what is empty or a default is not written."""

    origin: str
    """Where it comes from, as the end of a sentence."""
    title: str
    url: str
    language: str
    timezone: str
    description: str = ""
    author: str = ""
    pages_by: str = ""
    """The program that makes the pages; empty when postroom does."""
    media: bool = True
    posts: str = "posts"
    permalink: str = ""
    pelican: bool = False
    hard_breaks: bool = False
    encoding: str = ""
    exclude: tuple[str, ...] = ()
    output: str = "public"
    output_words: str = "feeds and pages; give this folder to a web server"
    asked: tuple[str, ...] = ()
    """Names of values that nobody gave, to be marked."""


def render_settings(settings: Settings) -> str:
    """Return postroom.toml."""
    mail = (
        '# from = "Name <letters@blog.example>"  # whom letters come from',
        '# postal_address = ""          # below every letter, where the law wants one',
        '# transport = "outbox"         # letters as files; "smtp" sends them, see [smtp]',
    )
    parts = (
        (
            f"# postroom.toml: {settings.origin}.",
            f"# {REFERENCE}.",
        ),
        ("[site]", *_site(settings)),
        ("[posts]", *_posts(settings)),
        ("[output]", _line("folder", settings.output, settings.output_words)),
        ("[mail]", *mail),
    )
    return "\n\n".join("\n".join(filter(None, part)) for part in parts) + "\n"


def _site(settings: Settings) -> tuple[str, ...]:
    made = settings.pages_by
    todo = "MEND THIS: " if "url" in settings.asked else ""
    return (
        _line("title", settings.title),
        _line(
            "url",
            settings.url,
            f"{todo}where it is read; ids of posts are made from it once",
        ),
        _line("language", settings.language, "of posts without `lang:`"),
        _line("timezone", settings.timezone, "of dates without an offset"),
        _line("description", settings.description) if settings.description else "",
        _line("author", settings.author, "of posts that name nobody")
        if settings.author
        else "",
        f"pages = false  # {made} makes them, at posts.permalink" if made else "",
        ""
        if settings.media
        else "media = false  # pictures are where those pages are; nothing is copied",
    )


def _posts(settings: Settings) -> tuple[str, ...]:
    return (
        _line("folder", settings.posts),
        _line("permalink", settings.permalink, "where each post is read")
        if settings.permalink
        else "",
        "pelican = true  # a bare `Key: value` header is front matter"
        if settings.pelican
        else "",
        "hard_breaks = true  # a line break in the source is one for readers"
        if settings.hard_breaks
        else "",
        _line("encoding", settings.encoding) if settings.encoding else "",
        f"exclude = [{', '.join(map(quote, settings.exclude))}]  # no posts there"
        if settings.exclude
        else "",
    )


def _line(key: str, value: str, words: str = "") -> str:
    return f"{key} = {quote(value)}" + (f"  # {words}" if words else "")


def quote(text: str) -> str:
    """Return `text` as a basic string of TOML; it holds no control characters."""
    return json.dumps(text, ensure_ascii=False)
