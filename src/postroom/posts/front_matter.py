"""Front matter is split from the body and read: YAML, TOML, JSON or a Pelican header.

python-frontmatter calls the handlers below. Its own ones lose TOML, one-line JSON and
blocks closed by `...`, strip the body and swallow errors, so ours keep the raw text
and raise PostError, which is no ValueError.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import frontmatter
from frontmatter.default_handlers import BaseHandler

from postroom.errors import PostError, Problem
from postroom.posts.block import MAX_CHARACTERS, Block, not_pairs, parse_plain, too_deep
from postroom.posts.yaml_block import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.posts.decode import SourceText
    from postroom.posts.values import Value

DASHES = re.compile(r" {0,3}-{3,}[ \t]*(?:\n|\Z)")
DASHES_OR_DOTS = re.compile(r"^(?:-{3,}|\.{3})[ \t]*$", re.MULTILINE)
PLUSES = re.compile(r" {0,3}\+{3,}[ \t]*(?:\n|\Z)")
CLOSING_PLUSES = re.compile(r"^\+{3,}[ \t]*$", re.MULTILINE)
BRACE = re.compile(r"[ \t]*\{[ \t]*(?:\n|\"|\}[ \t]*(?:\n|\Z))")
HEADER_LINE = re.compile(r"(?P<key>[\w-]+)[ \t]*:(?:[ \t]+(?P<value>.*)|[ \t]*)")
HEADER = re.compile(r"[\w-]+[ \t]*:(?:[ \t]|\n|\Z)")
BLANKS = re.compile(r"(?:[ \t]*+\n)*+")

LONG_DOTTED_KEY = re.compile(
    r"""(?<![\w-]) (?: (?:[\w-]++|"[^"\n]*"|'[^'\n]*') [ \t]* \. [ \t]* ){50}""",
    re.VERBOSE,
)
"""tomllib needs minutes for a key of thousands of parts."""
TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The front matter of one source, untyped, and its body with every indentation."""

    block: Block
    values: Mapping[str, Value] = field(default_factory=dict)
    body: str
    body_line: int
    """Line of the file, from 1, on which `body` begins."""
    found: bool
    """False for a file that is body only."""
    warnings: tuple[Problem, ...] = ()


def parse_front_matter(source: SourceText, *, pelican: bool = False) -> FrontMatter:
    """Split and read the front matter of `source`; raises PostError with the place.

    What looks like front matter and cannot be read is an error, never body: no reader
    is shown it. `pelican` reads a bare `Key: value` header too.
    """
    kinds = (*FENCES, Header) if pelican else FENCES
    handler = next((kind(source) for kind in kinds if kind.begins(source.text)), None)
    if handler is None:
        block = Block(path=source.path, text="", line=source.line)
        body, line = _trim(source.text, source.line)
        return FrontMatter(block=block, body=body, body_line=line, found=False)
    frontmatter.parse(source.text, handler=handler)
    body, line = _trim(handler.body, handler.body_line)
    return FrontMatter(
        block=handler.block,
        values=handler.values,
        body=body,
        body_line=line,
        found=True,
        warnings=handler.warnings,
    )


def _trim(body: str, line: int) -> tuple[str, int]:
    """Drop blank lines at both ends; the first line keeps its indentation."""
    start = BLANKS.match(body)
    blank = start[0] if start else ""
    return body[len(blank) :].rstrip(), line + blank.count("\n")


class Handler(BaseHandler):
    """Reads the front matter of one source.

    `frontmatter.parse` hands over stripped text, strips the body again and drops what
    is no dict, so source, block, body and values are kept here.
    """

    OPENING: ClassVar[re.Pattern[str]]
    block: Block
    body: str
    body_line: int
    values: Mapping[str, Value]
    warnings: tuple[Problem, ...] = ()

    def __init__(self, source: SourceText) -> None:
        super().__init__(fm_boundary=self.OPENING)
        self.source = source

    @classmethod
    def begins(cls, text: str) -> bool:
        """Tell whether `text` begins with this kind of front matter."""
        return cls.OPENING.match(text) is not None

    def split(self, text: str) -> tuple[str, str]:
        """Find the block and the body in the raw source; `text` was stripped."""
        start, end, body = self.bounds(self.source.text)
        if end - start > MAX_CHARACTERS:
            raise self.too_long()
        line = self.source.line
        raw = self.source.text
        self.block = Block(
            path=self.source.path,
            text=raw[start:end],
            line=line + raw.count("\n", 0, start),
        )
        self.body = raw[body:]
        self.body_line = line + raw.count("\n", 0, body)
        return self.block.text, self.body

    def load(self, fm: str) -> dict[str, Value]:
        """Read the block that `split` found."""
        values = self.read()
        self.values = values
        return values

    def bounds(self, text: str) -> tuple[int, int, int]:
        """Return where block begins and ends, and where the body begins."""
        raise NotImplementedError

    def read(self) -> dict[str, Value]:
        """Return the pairs of `self.block`; raises PostError."""
        raise NotImplementedError

    def fault(self, message: str, cure: str) -> PostError:
        """Return an error at the line on which the front matter opens."""
        where = Problem(
            path=self.source.path,
            line=self.source.line,
            column=1,
            message=message,
            cure=cure,
        )
        return PostError(where)

    def too_long(self) -> PostError:
        """Return the error for a block over the limit."""
        message = f"front matter is longer than {MAX_CHARACTERS // 1024} KiB"
        return self.fault(message, "move the text into the body")


class Fence(Handler):
    """Front matter between two lines of signs."""

    CLOSING: ClassVar[re.Pattern[str]]
    SIGN: ClassVar[str]

    def bounds(self, text: str) -> tuple[int, int, int]:
        """Look for the closing fence."""
        opening = self.OPENING.match(text)
        start = opening.end() if opening else 0
        closing = self.CLOSING.search(text, start)
        if closing is None:
            line = self.source.line
            message = f"front matter opened on line {line} is never closed"
            raise self.fault(message, f"end it with a line `{self.SIGN}`")
        return start, closing.start(), min(closing.end() + 1, len(text))


class YamlFence(Fence):
    """`---` closed by `---` or `...`."""

    OPENING = DASHES
    CLOSING = DASHES_OR_DOTS
    SIGN = "---"

    def read(self) -> dict[str, Value]:
        """Read YAML, all scalars as text."""
        values, self.warnings = parse_yaml(self.block)
        return values


class TomlFence(Fence):
    """`+++` closed by `+++`."""

    OPENING = PLUSES
    CLOSING = CLOSING_PLUSES
    SIGN = "+++"

    def read(self) -> dict[str, Value]:
        """Read TOML; its dates become text again."""
        block = self.block
        dotted = LONG_DOTTED_KEY.search(block.text)
        if dotted is not None:
            raise too_deep(block, dotted.start())
        try:
            raw = tomllib.loads(block.text, parse_float=str)
            return {key: parse_plain(block, value, 2) for key, value in raw.items()}
        except RecursionError:
            raise too_deep(block, 0) from None
        except ValueError as error:
            raise _toml_error(block, str(error)) from None


class JsonObject(Handler):
    """A JSON object, on one line or many."""

    OPENING = BRACE

    def bounds(self, text: str) -> tuple[int, int, int]:
        """Decode the object: only that tells where it ends."""
        start = len(text) - len(text.lstrip(" \t"))
        # The block for errors; replaced by the exact one when the end is known.
        self.block = Block(
            path=self.source.path, text=text[:MAX_CHARACTERS], line=self.source.line
        )
        try:
            self.raw, end = DECODER.raw_decode(self.block.text, start)
        except json.JSONDecodeError as error:
            if error.pos >= MAX_CHARACTERS:
                raise self.too_long() from None
            cure = "JSON needs double quotes, and commas between pairs only"
            raise self.block.error(error.pos, f"not JSON: {error.msg}", cure) from None
        except RecursionError:
            raise too_deep(self.block, 0) from None
        except _RepeatedKeyError as error:
            raise _repeated(self.block, error.key) from None
        rest = text[end:].split("\n", 1)[0]
        if rest.strip():
            message = "text follows the closing brace of the front matter"
            raise self.block.error(end, message, "begin the body on a new line")
        return 0, end, min(end + len(rest) + 1, len(text))

    def read(self) -> dict[str, Value]:
        """Bring the decoded object to text, lists and maps."""
        values = parse_plain(self.block, self.raw)
        if not isinstance(values, dict):
            raise not_pairs(self.block)
        return values


class Header(Handler):
    """Pelican's lines `Key: value` up to the first blank one, without fences."""

    OPENING = HEADER

    def bounds(self, text: str) -> tuple[int, int, int]:
        """The header ends before the first blank line."""
        blank = re.search(r"^[ \t]*$", text, re.MULTILINE)
        end = blank.start() if blank else len(text)
        return 0, end, end

    def read(self) -> dict[str, Value]:
        """Read the lines; an indented one continues the value above it."""
        values: dict[str, list[str]] = {}
        key = ""
        start = 0
        for line in self.block.text.rstrip("\n").split("\n"):
            found = HEADER_LINE.fullmatch(line.rstrip())
            if found is not None and found["key"] in values:
                raise _repeated(self.block, found["key"])
            if found is not None:
                key = found["key"]
                values[key] = [found["value"] or ""]
            elif key and line.startswith((" ", "\t")):
                values[key].append(line.strip())
            else:
                message = "a line of the header is not `Key: value`"
                raise self.block.error(start, message, "put a blank line after it")
            start += len(line) + 1
        return {key: "\n".join(lines).strip() for key, lines in values.items()}


FENCES = (YamlFence, TomlFence, JsonObject)


def _toml_error(block: Block, text: str) -> PostError:
    """Place an error of tomllib, which tells line and column in its text only."""
    place = TOML_PLACE.search(text)
    index = len(block.text.rstrip())
    if place is not None and place[1]:
        lines = block.text.split("\n")[: int(place[1]) - 1]
        index = sum(len(line) + 1 for line in lines) + int(place[2]) - 1
    message = text[: place.start()] if place else text
    cure = "TOML needs text in double quotes and each key once"
    return block.error(min(index, len(block.text)), f"not TOML: {message}", cure)


class _RepeatedKeyError(Exception):
    """A JSON object has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _repeated(block: Block, key: str) -> PostError:
    places = [found.start() for found in re.finditer(re.escape(key), block.text)]
    message = f"the key `{key}` is set twice"
    return block.error(places[1] if places[1:] else 0, message, "keep one of the two")


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key)
        found[key] = value
    return found


DECODER = json.JSONDecoder(
    object_pairs_hook=_unrepeated, parse_int=str, parse_float=str, parse_constant=str
)
