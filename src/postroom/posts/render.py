"""From a Head to a Post: safe HTML for feed, letter and page, text, and excerpt.

The order matters: limits, notations, Markdown, sanitiser with addresses, title and ids,
then text and excerpt; colours last, because the sanitiser would take them away.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from postroom.errors import Problem
from postroom.posts.alerts import name_alerts
from postroom.posts.away import AwayLinks
from postroom.posts.excerpt import build_excerpt
from postroom.posts.flat_text import flatten
from postroom.posts.headings import number_headings, point_fragments, take_title
from postroom.posts.highlight import highlight_code
from postroom.posts.links import (
    FRAGMENT,
    INSIDE,
    Links,
    encode_place,
    encode_url,
    id_prefix,
)
from postroom.posts.markdown import (
    ILLEGAL,
    check_size,
    check_source,
    join_lines,
    render_markdown,
)
from postroom.posts.media_types import OCTETS, type_of
from postroom.posts.permalink import is_whole
from postroom.posts.plain_text import render_text
from postroom.posts.post import Image, Post
from postroom.posts.sanitise import MORE, sanitise
from postroom.posts.shortcodes import Notations
from postroom.posts.slug import parse_name, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.posts.post import Enclosure, Episode, Head, Rules, SiteMap

LINE_ENDS = re.compile(r"\r\n?")
BROKEN_IMAGE = re.compile(
    r"!\[[^\[\]\n]{0,300}\]\((?!<)[^()\s]{1,300}[ ][^()\n\"']{0,300}"
    r"\.(?:png|jpe?g|gif|webp|svg|avif)\)",
    re.IGNORECASE,
)
"""A blank in the address: no image in Markdown, but text with brackets."""
CODE = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)
DATA_IMAGE = re.compile(r"(?:\]\(|src\s*=\s*[\"']?)\s*data:", re.IGNORECASE)
EXCERPT_SOURCE = 20
"""Code points looked at for each cluster of the excerpt."""
SHOWN = 80
"""Characters of an address in a warning."""
CURE = "addresses start at the folder of the post, or with / at the posts folder"
HEADING_CURE = "the id of `## Two words` is #two-words"
MAX_WARNINGS = 50
"""A generated index with a thousand dead links needs one look, not a thousand lines."""


def build_post(head: Head, rules: Rules, site_map: SiteMap, digest: str) -> Post:
    """Render `head`; `digest` is the SHA-256 of its source in hex.

    Raises PostError when the post passes a limit, and nothing else.
    """
    return _Rendering(head, rules, site_map).build(digest)


class _Rendering:
    """One post on its way; keeps what the steps learn of it."""

    def __init__(self, head: Head, rules: Rules, site_map: SiteMap) -> None:
        self.head = head
        self.rules = rules
        self.links = _links_of(head, rules, site_map)
        self.body = _clean(head.body)
        self.prefix = id_prefix(head.path)
        self.warnings: list[Problem] = []
        self.broken_images: list[str] = []

    def build(self, digest: str) -> Post:
        head = self.head
        title, marked, opening = self._render_body()
        html = self._for_readers(marked)
        check_size(html, head.path)
        page_html = self._for_page(marked)
        check_size(page_html, head.path)
        image = self._find_image()
        enclosures = tuple(self._find_enclosures())
        episode = self._find_episode()
        return Post(
            path=head.path,
            title=title,
            published=head.published,
            updated=head.updated,
            expires=head.expires,
            draft=head.draft,
            slug=head.slug,
            url_path=head.url_path,
            language=head.language,
            tags=head.tags,
            authors=head.authors,
            excerpt=self._build_excerpt((opening, marked), title),
            html=html,
            page_html=page_html,
            text=render_text(html),
            image=image,
            subject=_clean(head.subject),
            preheader=_clean(head.preheader),
            canonical_url=head.canonical_url,
            id=head.id,
            mailed=head.mailed,
            link=head.link,
            enclosures=enclosures,
            episode=episode if enclosures else None,
            digest=digest,
            files=tuple(self.links.files),
            links=tuple(self.links.asked.items()),
            warnings=(*head.warnings, *self._problems()),
        )

    # -- the body --------------------------------------------------------------------

    def _render_body(self) -> tuple[str, str, str]:
        """Return the title, the HTML with its marks, and the part for the excerpt."""
        head = self.head
        marked = sanitise(self._parse(self.body, warn=True), self.links)
        marked = join_lines(name_alerts(marked, head.language), head.language)
        self.broken_images = _find_broken_images(marked)
        title, marked = take_title(marked, _clean(head.title).strip())
        title = title or title_of(parse_name(head.path))
        marked = number_headings(marked, self.prefix)
        marked, lost = point_fragments(marked, self.prefix)
        for name in lost:
            self.links.missed[f"#{name}"] = (
                "a link to a heading that is not in the post"
            )
        opening, more, rest = marked.partition(MORE)
        marked = (opening + rest).strip()
        return title, marked, opening if more else ""

    def _parse(self, text: str, *, warn: bool = False) -> str:
        """Return Markdown as HTML that is not yet safe, within the limits."""
        path, line = self.head.path, self.head.body_line
        check_source(text, path, line)
        notations = Notations(path, line, text)
        text = notations.expand()
        html = render_markdown(text, hard_breaks=self.rules.hard_breaks)
        check_size(html, path)
        if warn:
            self.warnings += notations.warnings.values()
        return html

    def _for_readers(self, marked: str) -> str:
        """Return the HTML for feeds and letters, read far from the site."""
        site, page = encode_url(self.rules.site_url), self.head.url_path
        if is_whole(page):  # its headings have the ids that the author knows
            marked = marked.replace(f'"{FRAGMENT}#{self.prefix}', f'"{FRAGMENT}#')
        else:
            page = site + encode_place(page)
        return marked.replace(f'"{FRAGMENT}', f'"{page}').replace(INSIDE, site)

    def _for_page(self, marked: str) -> str:
        """Return the HTML for the post's page, wherever the site lies."""
        up = "../" * self.head.url_path.count("/")
        html = marked.replace(FRAGMENT, "").replace(f'{INSIDE}"', f'{up or "./"}"')
        html = html.replace(INSIDE, up).replace("<img ", '<img loading="lazy" ')
        return highlight_code(html, inline=False)

    # -- excerpt and image -----------------------------------------------------------

    def _build_excerpt(self, parts: tuple[str, ...], title: str) -> str:
        """Return the excerpt of the summary, else of the first part with a text."""
        limit = self.rules.excerpt_length
        length = limit * EXCERPT_SOURCE
        texts = (flatten(part, title=title, length=length) for part in parts)
        return build_excerpt(self._summary() or next(filter(None, texts), ""), limit)

    def _summary(self) -> str:
        """Return the author's own summary, Markdown as it may be, as text."""
        summary = _clean(self.head.summary)
        if not summary.strip():
            return ""
        # its own questions
        links = _links_of(self.head, self.rules, self.links.site_map)
        return flatten(sanitise(self._parse(summary), links).replace(MORE, ""))

    def _find_image(self) -> Image | None:
        """Return the post's own picture by absolute URL."""
        written = _clean(self.head.image).strip()
        if not written:
            return None
        found = self.links.src(written)
        if found is None:
            return None
        url = self._for_readers(found)
        return Image(url=url, alt=_clean(self.head.image_alt))

    # -- enclosures ------------------------------------------------------------------

    def _find_enclosures(self) -> Iterator[Enclosure]:
        """Yield the enclosures that are there, by absolute URL."""
        for written in self.head.enclosures:
            url, path = self._find_file(written.url)
            if url:
                kind = written.media_type or type_of(path or written.url) or OCTETS
                title = _clean(written.title)
                yield replace(written, url=url, path=path, media_type=kind, title=title)

    def _find_episode(self) -> Episode | None:
        """Return the episode with absolute URLs, without files that are not there."""
        episode = self.head.episode
        if episode is None:
            return None
        image, _ = self._find_file(episode.image)
        chapters, _ = self._find_file(episode.chapters)
        found = [
            replace(one, url=self._find_file(one.url)[0]) for one in episode.transcripts
        ]
        transcripts = tuple(one for one in found if one.url)
        return replace(episode, image=image, chapters=chapters, transcripts=transcripts)

    def _find_file(self, written: str) -> tuple[str, str]:
        """Return the absolute URL of a file, and its path if it is in the posts folder."""
        cleaned = _clean(written).strip()
        if not cleaned:
            return "", ""
        url, path = self.links.file(cleaned)
        return self._for_readers(url), path

    # -- warnings --------------------------------------------------------------------

    def _problems(self) -> list[Problem]:
        for url, what in islice(self.links.missed.items(), MAX_WARNINGS):
            shown = f": {_shorten(unquote(url))}" if url.strip() else ""
            cure = HEADING_CURE if url.startswith("#") else CURE
            self._warn(self._line_of(url), what + shown, cure)
        for image in self.broken_images:
            self._warn(
                self._line_of(image),
                f"no image, because of the blanks in its address: {_shorten(image)}",
                "write ![…](<a b.png>)",
            )
        data = DATA_IMAGE.search(self.body)
        if data:
            self._warn(
                self._line_at(data.start()),
                "an image written into the text (data:) is left out",
                "save it as a file beside the post",
            )
        return self.warnings[:MAX_WARNINGS]

    def _warn(self, line: int, message: str, cure: str = "") -> None:
        self.warnings.append(
            Problem(path=self.head.path, line=line, message=message, cure=cure)
        )

    def _line_of(self, url: str) -> int:
        """Return the line on which `url` is written, 0 when it is not found as such."""
        for written in (url, unquote(url), quote(url, safe="/#?=&:")):
            at = self.body.find(written) if written.strip() else -1
            if at >= 0:
                return self._line_at(at)
        return 0

    def _line_at(self, offset: int) -> int:
        return self.head.body_line + self.body.count("\n", 0, offset)


def _links_of(head: Head, rules: Rules, site_map: SiteMap) -> Links:
    if rules.permalink:
        return AwayLinks(head, rules, site_map, media=rules.media)
    return Links(head, rules, site_map)


def _find_broken_images(html: str) -> list[str]:
    """Return what an author meant as images, but shows as text."""
    if "![" not in html:
        return []
    found = BROKEN_IMAGE.finditer(CODE.sub("", html))
    return [unescape(image[0]) for image in islice(found, MAX_WARNINGS)]


def _clean(text: str) -> str:
    """Return `text` with LF line ends and without what XML forbids."""
    return ILLEGAL.sub("", LINE_ENDS.sub("\n", text) if "\r" in text else text)


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
