"""A tree of HTML is made plain: what editors, themes and widgets add to a text goes."""

from __future__ import annotations

import re
from typing import Any

BLOCK_IN_TABLE = ("table", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "p + p")
SPANNED = re.compile(r"[2-9]|\d\d")
KEPT = frozenset(
    [
        "href",
        "src",
        "alt",
        "title",
        "id",
        "lang",
        "dir",
        "start",
        "reversed",
        "colspan",
        "rowspan",
        "scope",
        "align",
        "open",
        "datetime",
        "data-kept",
    ]
)
"""Attributes that mean something away from the old site."""
ACTIVE = (
    "script", "style", "noscript", "template", "form", "button", "input", "select",
    "textarea", "link", "meta",
)  # fmt: skip
WIDGETS = (
    "subscription-widget-wrap", "subscription-widget-wrap-editor", "button-wrapper",
    "image-link-expand", "sharedaddy", "jp-relatedposts",
)  # fmt: skip
"""Classes of forms and buttons that Substack and WordPress put into a text."""
CODE = frozenset(("pre", "code"))


def prepare(soup: Any) -> Any:
    """Bring a parsed text to what is converted: no scripts, plain figures, marked tables."""
    body = soup.body or soup
    for tag in body.find_all(ACTIVE):
        tag.decompose()
    for tag in body.find_all(class_=WIDGETS):
        tag.decompose()
    for tag in body.find_all("svg"):
        tag.decompose()
    for tag in body.find_all("source"):
        tag.unwrap()  # the parser takes what follows for its content
    for tag in body.find_all(("figure", "picture")):
        _simplify_figure(soup, tag)
    _mark(body)
    return body


def _mark(body: Any) -> None:
    """Note what the conversion asks of each element, and drop all else of it."""
    for tag in body.find_all("table"):
        if _is_kept(tag):
            tag["data-kept"] = "1"
    for tag in body.find_all():
        _drop_attributes(tag)
    for tag in body.find_all("ol"):
        _number(tag)


def _number(items: Any) -> None:
    """Give the items of a list their numbers: counting siblings is quadratic."""
    start = str(items.get("start") or "1")
    first = int(start[:9]) if start.isascii() and start.isdigit() else 1
    for number, item in enumerate(items.find_all("li", recursive=False), first):
        item["data-number"] = str(number)


def _drop_attributes(tag: Any) -> None:
    for name in [*tag.attrs]:
        if name not in KEPT and not (name == "class" and tag.name in CODE):
            del tag[name]


def _simplify_figure(soup: Any, figure: Any) -> None:
    """Leave one picture, its link and its caption of what editors wrap around them."""
    images = figure.find_all("img")
    caption = figure.find("figcaption")
    if len(images) != 1 or figure.find(("table", "pre", "blockquote", "figure")):
        if not images or figure.name == "picture":
            figure.unwrap()
        return
    image = images[0]
    link = image.find_parent("a")
    image.extract()
    if link is not None and figure in link.parents and link.get("href"):
        anchor = soup.new_tag("a", href=link["href"])
        anchor.append(image)
        image = anchor
    if caption is None or not caption.get_text(strip=True):
        holder = soup.new_tag("span" if figure.name == "picture" else "p")
        holder.append(image)
        figure.replace_with(holder)
        return
    caption.extract()
    figure.clear()
    figure.append(image)
    figure.append(caption)


def _is_kept(table: Any) -> bool:
    spans = (
        cell.get(name)
        for cell in table.find_all(("td", "th"))
        for name in ("colspan", "rowspan")
    )
    return (
        any(span and SPANNED.match(str(span)) for span in spans)
        or table.select_one(", ".join(BLOCK_IN_TABLE)) is not None
        or table.find("caption") is not None
        or table.find_parent(("table", "li", "blockquote")) is not None
    )
