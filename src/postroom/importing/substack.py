"""A Substack export (zip): posts.csv says what there is, posts/ID.SLUG.html holds it.

The feed of Substack has a post's address as guid; the export does not name the host, so
ids can only be made when `site` does.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from postroom.importing.found import Fault, Found, Note
from postroom.importing.moments import parse_moment
from postroom.importing.texts import build_id, decode, plain_line, web_url
from postroom.posts.post import Enclosure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.importing.found import Step
    from postroom.importing.members import Members

TABLE = "posts.csv"
COLUMNS = frozenset(("post_id", "title", "is_published"))
MAX_FIELD = 1_000_000
"""Characters of one cell; the csv module's own limit is 131,072."""
EVERYBODY = frozenset(("everyone", ""))
PODCAST = "podcast"
AUDIO = "audio/mpeg"
"""Substack serves MP3 only."""
THREAD = frozenset(("thread", "restack"))


def find_table(members: Members) -> str:
    """Return the name of the export's table, or nothing when it is another zip."""
    for name in members.names:
        if name == TABLE or name.endswith("/" + TABLE):
            head = decode(members.read(name))[:2000].partition("\n")[0]
            if set(next(csv.reader([head.strip()]), [])) >= COLUMNS:
                return name
    return ""


def parse_posts(members: Members, site: str) -> Iterator[Step]:
    """Yield the posts that posts.csv lists, and those that it does not know as faults."""
    table = find_table(members)
    folder = table[: -len(TABLE)] + "posts/"
    csv.field_size_limit(MAX_FIELD)
    rows = csv.DictReader(io.StringIO(decode(members.read(table)), newline=""))
    if not site:
        yield Note(
            message="ids of the old feed are its addresses: name the old site with --site, or readers see all posts again"
        )
    listed: set[str] = set()
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Fault(message=f"{table}: {error}", line=rows.line_num)
            continue
        if row is None:
            break
        cells = {
            key: value or ""
            for key, value in row.items()
            if isinstance(key, str) and not isinstance(value, list)
        }
        name = f"{folder}{cells.get('post_id', '')}.html"
        listed.add(name)
        yield _parse_post(cells, name, members, site, rows.line_num)
    for name in sorted(set(members.names) - listed):
        if name.startswith(folder) and name.endswith(".html"):
            yield Fault(
                message=f"{name}: not listed in {table}",
                cure="add its row, or import the page as --format html",
            )


def _parse_post(
    cells: dict[str, str], name: str, members: Members, site: str, line: int
) -> Step:
    title = plain_line(cells.get("title", ""))
    published = cells.get("is_published", "").strip().casefold() == "true"
    podcast = web_url(cells.get("podcast_url", ""))
    text = decode(members.read(name)) if name in members.names else ""
    if not text.strip() and published and not podcast:
        return Fault(
            message=f"`{title}`: there is no {name}", line=line, cure="export it again"
        )
    slug = cells.get("post_id", "").partition(".")[2]
    audience = cells.get("audience", "").strip()
    open_to_all = audience in EVERYBODY
    url = f"{site}/p/{slug}" if site and slug else ""
    moment = parse_moment(cells.get("post_date", "")) or parse_moment(
        cells.get("email_sent_at", "")
    )
    return Found(
        line=line,
        id=build_id(url),
        title=title,
        published=moment,
        slug=slug,
        summary=plain_line(cells.get("subtitle", "")),
        draft=not published or not open_to_all or cells.get("type", "") in THREAD,
        visibility="" if open_to_all else audience,
        url=url,
        enclosures=(Enclosure(url=podcast, media_type=AUDIO),) if podcast else (),
        text=text,
        base=url or site,
        notes=() if open_to_all else (f"for {audience} only: kept as a draft",),
    )
