"""The HTML of an entry becomes Markdown, and what Markdown cannot say stays HTML.

markdownify converts; this module prepares the tree, escapes what CommonMark and the
notations of posts/shortcodes.py would read as markup, and proves the result: it is
rendered as `build` will, and where a word, a link or a picture is missing, that block
stays HTML. So nothing of the old text is lost, whatever it was made of.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from markdownify import MarkdownConverter

from postroom.errors import PostError
from postroom.importing.html_tree import TooDeepError, parse_html
from postroom.posts.decode import CONTROLS
from postroom.posts.markdown import check_source, render_markdown
from postroom.posts.shortcodes import Notations

if TYPE_CHECKING:
    from collections.abc import Iterator

MORE = "\ue000"
"""Stands for `<!--more-->` on its way: markdownify drops comments."""

ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'\\^`{|}]+")
ACTIVE = re.compile(r"[\\`*\[\]$~]|<(?=[A-Za-z/!?])|(?<![^\W_])_|_(?![^\W_])")
"""What opens or closes markup anywhere; `snake_case` does not."""
LINE_START = re.compile(r"^([ \t]*)([#+=>-])", re.MULTILINE)
NUMBERED = re.compile(r"^([ \t]*\d{1,9})([.)])", re.MULTILINE)
REFERENCE = re.compile(r"&(?=#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z][A-Za-z0-9]*;)")
BRACE = re.compile(r"\{(?=[{%#.:])")
TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
CELLS = frozenset(("td", "th"))
WORD = re.compile(r"[\w.+#-]{1,30}")
PLAIN_DESTINATION = re.compile(r"[^\s<>()\\]*")
BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
OUR_OWN = re.compile(r' data-(?:kept|number)="\d+"')
PRE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL | re.IGNORECASE)


Substance: TypeAlias = tuple[str, set[str], list[str]]
"""Words without blanks, addresses of links, addresses of pictures in order."""

BASE: Any = MarkdownConverter
"""Its stubs know half of its methods."""


class _Converter(BASE):  # type: ignore[misc]
    """markdownify with CommonMark's own rules of escaping."""

    def __init__(self, targets: frozenset[str]) -> None:
        super().__init__(
            heading_style="atx",
            bullets="-",
            strong_em_symbol="*",
            newline_style="backslash",
            sub_symbol="<sub>",
            sup_symbol="<sup>",
            table_infer_header=True,
            keep_inline_images_in=["td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "a"],
            code_language_callback=_language_of,
        )
        self.targets = targets

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """Escape what would be markup; addresses stay, for they link themselves."""
        pieces = []
        at = 0
        for address in ADDRESS.finditer(text):
            pieces += [_escaped(text[at : address.start()]), address[0]]
            at = address.end()
        pieces.append(_escaped(text[at:]))
        whole = NUMBERED.sub(r"\1\\\2", "".join(pieces))
        whole = LINE_START.sub(r"\1\\\2", whole)
        return whole.replace("|", "\\|") if parent_tags & CELLS else whole

    def process_tag(self, node: Any, parent_tags: set[str] | None = None) -> str:
        """Keep an element that a link of the same text leads to."""
        text = str(super().process_tag(node, parent_tags=parent_tags))
        name = str(node.get("id") or "") if isinstance(node, Tag) else ""
        if not name or name not in self.targets or node.name in {"table", "pre", "tr"}:
            return text
        anchor = f'<a id="{html.escape(name)}"></a>'
        start = re.match(r"\s*(?:(?:#{1,6}|>|[-*+]|\d+\.)[ ]+)?", text)
        end = start.end() if start else 0
        return text[:end] + anchor + text[end:]

    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Write a destination that CommonMark reads."""
        href = _destination(str(el.get("href") or ""))
        if not el.get("href") or "_noformat" in parent_tags:
            return text
        lead, rest = text[: len(text) - len(text.lstrip())], text.strip()
        trail = " " if text != text.rstrip() else ""
        if not rest:
            return text
        if rest == el["href"] and ADDRESS.fullmatch(rest):
            return f"{lead and ' '}<{rest}>{trail}"
        return f"{lead and ' '}[{rest}]({href}{_title(el)}){trail}"

    def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Write a picture; its address may hold blanks."""
        if not el.get("src"):
            return ""
        alt = " ".join(str(el.get("alt") or "").split())
        return f"![{self.escape(alt, set()) if alt else ''}]({_destination(str(el['src']))}{_title(el)})"

    def convert_li(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Write an item by the number it was given, its content indented."""
        mark = f"{el['data-number']}. " if el.get("data-number") else "- "
        lines = text.strip().split("\n")
        rest = (" " * len(mark) + line if line else "" for line in lines[1:])
        return "\n".join((mark + lines[0], *rest)) + "\n"

    def convert_table(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Keep a table that pipes cannot draw."""
        if el.get("data-kept"):
            return _raw(el)
        return str(super().convert_table(el, text, parent_tags))

    def convert_figure(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Keep figures: Markdown has no captions."""
        return _raw(el)

    convert_details = convert_figure
    convert_dl = convert_figure
    convert_ruby = lambda self, el, text, parent_tags: str(el)  # noqa: E731 - inline HTML
    convert_mark = convert_ruby
    convert_abbr = convert_ruby
    convert_u = convert_ruby


def _language_of(pre: Any) -> str:
    """Return the language of a code block from the classes that programs give it."""
    for tag in (pre, *pre.find_all("code")):
        for name in tag.get("class") or ():
            found = name.removeprefix("language-").removeprefix("lang-")
            if found != name and WORD.fullmatch(found):
                return str(found)
    return ""


def _escaped(text: str) -> str:
    text = ACTIVE.sub(lambda sign: "\\" + sign[0], text)
    return BRACE.sub("&#123;", REFERENCE.sub("&amp;", text))


def _destination(url: str) -> str:
    url = "".join(url.splitlines()).strip()
    if PLAIN_DESTINATION.fullmatch(url):
        return url
    return "<" + url.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E") + ">"


def _title(el: Any) -> str:
    title = " ".join(str(el.get("title") or "").split())
    return (
        ' "' + html.escape(title.replace("\\", "\\\\")).replace("{", "&#123;") + '"'
        if title
        else ""
    )


def _raw(el: Any) -> str:
    return f"\n\n{tidy_html(str(el))}\n\n"


def tidy_html(text: str) -> str:
    """Return HTML that CommonMark keeps as one block: no blank line outside of `pre`."""
    pieces = PRE.split(OUR_OWN.sub("", text.strip()))
    for number in range(0, len(pieces), 2):
        pieces[number] = (
            BLANK_LINES.sub("\n", pieces[number])
            .replace("{{", "&#123;{")
            .replace("{%", "&#123;%")
        )
    return "".join(pieces)


def markdown_line(text: str) -> str:
    """Return plain text of one line as Markdown that renders to it."""
    return str(_Converter(frozenset()).escape(" ".join(text.split()), set()))


# -- the proof ---------------------------------------------------------------------------


def convert(body: Any) -> str:
    """Return a prepared body as Markdown that renders to the same words and links."""
    targets = frozenset(
        str(link["href"])[1:]
        for link in body.find_all("a", href=True)
        if str(link["href"]).startswith("#")
    )
    raw, wanted = str(body.decode_contents()), _substance(body)
    whole = _to_markdown(body, targets)
    if _renders_to(whole, wanted):
        return _finish(whole)
    blocks = [_convert_block(child, targets) for child in _blocks(body)]
    joined = "\n\n".join(filter(None, blocks))
    if _renders_to(joined, wanted):
        return _finish(joined)
    return _finish("\n".join(["<div>", tidy_html(raw), "</div>"]))


def _to_markdown(tag: Any, targets: frozenset[str]) -> str:
    text = str(_Converter(targets).process_tag(tag, parent_tags=set()))
    return CONTROLS.sub("", text).strip("\n")


def _blocks(body: Any) -> Iterator[Any]:
    """Yield the outermost blocks, stray text between them in paragraphs of its own."""
    inline: list[Any] = []
    for child in [*body.children]:
        name = getattr(child, "name", None)
        block = name in BLOCK_NAMES
        if not block and (name or isinstance(child, NavigableString)):
            inline.append(child.extract())
            continue
        if inline:
            yield _paragraph(inline)
            inline = []
        if block:
            yield child
    if inline:
        yield _paragraph(inline)


BLOCK_NAMES = frozenset(
    (
        "p",
        "div",
        "ul",
        "ol",
        "pre",
        "blockquote",
        "table",
        "figure",
        "section",
        "article",
        "hr",
        "dl",
        "details",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "aside",
        "center",
    )
)


def _paragraph(children: list[Any]) -> Any:
    holder = BeautifulSoup("", "lxml").new_tag("p")
    for child in children:
        holder.append(child)
    return holder


def _convert_block(tag: Any, targets: frozenset[str]) -> str:
    text = _to_markdown(tag, targets)
    return text if _renders_to(text, _substance(tag)) else tidy_html(str(tag))


def _renders_to(text: str, wanted: Substance) -> bool:
    """Tell whether Markdown renders to words, links and pictures that are wanted."""
    try:
        check_source(text, "", 1)
        notations = Notations("", 1, text)
        made = parse_html(render_markdown(notations.expand()))
    except (PostError, TooDeepError):
        return False
    if notations.warnings:
        return False
    words, links, pictures = wanted
    made_words, made_links, made_pictures = _substance(made)
    return words == made_words and links <= made_links and pictures == made_pictures


def _substance(tag: Any) -> Substance:
    words = "".join(CONTROLS.sub("", tag.get_text()).replace(MORE, "").split())
    links = {
        _same_url(str(link["href"]))
        for link in tag.find_all("a", href=True)
        if link.get_text(strip=True) or link.find("img")
    }
    return (
        words,
        links,
        [_same_url(str(image["src"])) for image in tag.find_all("img", src=True)],
    )


def _same_url(url: str) -> str:
    return "".join(unquote(html.unescape(url)).split())


def _finish(text: str) -> str:
    return TRAILING.sub("", text).replace(MORE, "<!--more-->").strip("\n")
