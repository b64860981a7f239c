"""A folder or zip of HTML pages: title, date and text of each, where the page says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postroom.importing.found import Fault, Found
from postroom.importing.html_tree import TooDeepError, inner_html, parse_html
from postroom.importing.moments import parse_moment
from postroom.importing.texts import (
    decode,
    join_url,
    line_of,
    plain_line,
    tags_of,
    web_url,
)
from postroom.posts.post import Person
from postroom.posts.slug import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.importing.found import Step
    from postroom.importing.members import Members

ENDINGS = (".html", ".htm", ".xhtml")
DATES = (
    "article:published_time",
    "date",
    "dc.date",
    "dcterms.date",
    "pubdate",
    "datePublished",
)
TEXT = ("article", "main", "body")


def page_names(members: Members) -> list[str]:
    """Return the members that are HTML pages, in order."""
    return [name for name in members.names if name.casefold().endswith(ENDINGS)]


def parse_pages(members: Members, site: str) -> Iterator[Step]:
    """Yield each page as an entry; one without any date becomes a page."""
    for name in page_names(members):
        try:
            yield _parse_page(decode(members.read(name)), name, site)
        except TooDeepError as error:
            yield Fault(message=str(error), name=name)


def _parse_page(text: str, name: str, site: str) -> Found:
    soup = parse_html(text)
    meta = {
        str(
            tag.get("property") or tag.get("name") or tag.get("itemprop")
        ).casefold(): str(tag.get("content") or "")
        for tag in soup.find_all("meta")
    }
    stem = parse_name(name.rpartition(".")[0] + ".md")
    day = parse_moment(f"{stem.day}") if stem.day else None
    stamp = soup.find("time", datetime=True)
    dates = [parse_moment(meta.get(key.casefold(), "")) for key in DATES]
    dates.append(parse_moment(str(stamp["datetime"])) if stamp else None)
    canonical = soup.find("link", rel="canonical")
    url = web_url(str(canonical.get("href") or "")) if canonical else ""
    body, title = _body(soup)
    return Found(
        name=name,
        title=title or plain_line(meta.get("og:title", "")),
        published=next(filter(None, dates), None) or day,
        updated=parse_moment(meta.get("article:modified_time", "")),
        slug=stem.stem,
        language=str(soup.html.get("lang") or "") if soup.html else "",
        tags=tags_of(
            (meta.get("keywords", "") or meta.get("article:tag", "")).split(",")
        ),
        authors=_named(line_of(meta.get("author", ""))),
        summary=plain_line(meta.get("description", "")),
        url=url,
        text=body,
        base=url or join_url(site + "/", name) if url or site else "",
    )


def _named(name: str) -> tuple[Person, ...]:
    return (Person(name=name),) if name else ()


def _body(soup: Any) -> tuple[str, str]:
    """Return the text of a page, without the heading that is its title, and the title."""
    body = next(filter(None, map(soup.find, TEXT)), soup)
    heading = body.find("h1")
    title = plain_line(heading.get_text()) if heading else ""
    if title:
        heading.decompose()
    elif soup.title:
        title = plain_line(soup.title.get_text())
    for furniture in body.find_all(("nav", "header", "footer", "aside")):
        furniture.decompose()
    return inner_html(body), title
