"""A Ghost export (JSON): posts and pages with their tags and authors, by table.

The feed of Ghost has a post's `id` as guid. Its export does not say where the site was:
`__GHOST_URL__` stands for it, and `site` fills it in.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from postroom.importing.found import Fault, Found, Text
from postroom.importing.json_source import Object, objects_of, text_of
from postroom.importing.moments import parse_stamp
from postroom.importing.texts import build_id, line_of, plain_line, tags_of, web_url
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = (
    "posts",
    "tags",
    "posts_tags",
    "users",
    "posts_authors",
    "posts_meta",
    "settings",
)
PLACEHOLDER = "__GHOST_URL__"
PUBLIC = frozenset(("published", "scheduled"))
INTERNAL = "internal"
EVERYBODY = frozenset(("public", ""))


def tables_of(export: Object) -> Object:
    """Return the tables of an export: below `db[0].data`, `data`, or at its top."""
    databases = objects_of(export.get("db"))
    holder: Any = databases[0] if databases else export
    data = holder.get("data")
    return (
        data if isinstance(data, dict) else holder if isinstance(holder, dict) else {}
    )


def parse_posts(export: Object, site: str) -> Iterator[Found | Fault]:
    """Yield the posts and pages of an export; `site` is the old address or empty."""
    data = tables_of(export)
    tags = _named_by_post(data, "tags", "posts_tags", "tag_id")
    authors = _named_by_post(data, "users", "posts_authors", "author_id")
    people = {text_of(user, "id"): user for user in objects_of(data.get("users"))}
    meta = {text_of(row, "post_id"): row for row in objects_of(data.get("posts_meta"))}
    language = _setting(data, "locale") or _setting(data, "lang")
    for post in objects_of(data.get("posts")):
        own = text_of(post, "id")
        single = people.get(text_of(post, "author_id"))
        yield _parse_post(
            {**meta.get(own, {}), **post},
            tags=tags.get(own, []),
            users=authors.get(own) or ([single] if single else []),
            language=language,
            site=site,
        )


def _named_by_post(
    data: Object, table: str, pairs: str, key: str
) -> dict[str, list[Object]]:
    """Return post → rows of `table`, in the order of the table of pairs."""
    rows = {text_of(row, "id"): row for row in objects_of(data.get(table))}
    found: dict[str, list[tuple[int, Object]]] = defaultdict(list)
    for pair in objects_of(data.get(pairs)):
        row = rows.get(text_of(pair, key))
        order = pair.get("sort_order")
        if row is not None:
            place = order if isinstance(order, int) else 0
            found[text_of(pair, "post_id")].append((place, row))
    return {
        post: [row for _, row in sorted(named, key=lambda each: each[0])]
        for post, named in found.items()
    }


def _setting(data: Object, key: str) -> str:
    rows = objects_of(data.get("settings"))
    return next((text_of(row, "value") for row in rows if row.get("key") == key), "")


def _parse_post(
    post: Object, *, tags: list[Object], users: list[Object], language: str, site: str
) -> Found | Fault:
    title = plain_line(text_of(post, "title"))
    slug = text_of(post, "slug")
    text, form, note = _text(post, site)
    if note and not text:
        return Fault(
            message=f"`{title or slug}`: {note}", cure="open and save it in Ghost"
        )
    visibility = text_of(post, "visibility")
    open_to_all = visibility in EVERYBODY
    status = text_of(post, "status")
    notes = [note] if note else []
    if not open_to_all:
        notes.append(f"for {visibility} readers only: kept as a draft")
    image = text_of(post, "feature_image", "image").replace(PLACEHOLDER, site)
    page = text_of(post, "type") == "page" or post.get("page") == 1
    url = f"{site}/{slug}/" if site and slug else ""
    return Found(
        name=slug,
        id=build_id(text_of(post, "id", "uuid")),
        title=title,
        published=parse_stamp(post.get("published_at"))
        or parse_stamp(post.get("created_at")),
        updated=parse_stamp(post.get("updated_at")),
        slug=slug,
        language=text_of(post, "locale", "language") or language,
        tags=tags_of(_tag_names(tags)),
        authors=tuple(_people(users)),
        summary=plain_line(text_of(post, "custom_excerpt")),
        image=image if web_url(image) or image.startswith("/") else "",
        image_alt=line_of(text_of(post, "feature_image_alt")),
        draft=status not in PUBLIC or not open_to_all,
        page=page,
        visibility="" if open_to_all else visibility,
        url=url,
        text=text,
        form=form,
        base=url or site,
        notes=tuple(notes),
    )


def _tag_names(tags: list[Object]) -> Iterator[str]:
    for tag in tags:
        name = text_of(tag, "name")
        if tag.get("visibility") != INTERNAL and not name.startswith("#"):
            yield name


def _people(users: list[Object]) -> Iterator[Person]:
    for user in users:
        name = line_of(text_of(user, "name"))
        if name:
            yield Person(name=name, url=web_url(text_of(user, "website")))


def _text(post: Object, site: str) -> tuple[str, Text, str]:
    """Return the text, how it is written, and what is wrong with it."""
    html = text_of(post, "html")
    if html:
        return html.replace(PLACEHOLDER, site), Text.HTML, ""
    plain = text_of(post, "plaintext", "markdown")
    if not (text_of(post, "lexical", "mobiledoc")):
        return plain, Text.PLAIN, ""
    note = "its text is in Ghost's editor format alone, which is not read"
    return plain, Text.PLAIN, note + ("; its plain text was taken" if plain else "")
