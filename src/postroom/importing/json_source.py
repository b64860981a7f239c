"""JSON of any size and state becomes tables of objects; a damaged one costs one object.

A whole file is read by the standard library. Where it is damaged or cut off, the arrays
that are asked for are found, and their objects read one by one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from postroom.errors import SourceError
from postroom.importing.found import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

Object: TypeAlias = dict[str, Any]

MAX_BYTES = 256 * 1024 * 1024
"""Of one JSON file: it is read at once, and takes several times its size in memory."""
MAX_DEPTH = 100
"""Levels; Ghost's exports have 6."""
MARK = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)
BEGINNING = re.compile(r'"(title|id|slug)"\s*:\s*"([^"\\]{1,80})')


def read_json(text: str, names: tuple[str, ...]) -> tuple[Object, tuple[Fault, ...]]:
    """Return the object of a file; of a damaged one its pairs of `names` that are arrays.

    Raises SourceError when nothing of it can be read, or when it is nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise SourceError(
            "JSON nested too deeply", cure="no feed or export is"
        ) from None
    except ValueError as error:
        return _rescue(text, names, error)
    if isinstance(value, list):
        value = {names[0]: value}
    if not isinstance(value, dict):
        raise SourceError("JSON, but no feed or export", cure="name another file")
    return value, ()


def _no_number(word: str) -> None:
    """`NaN` and `Infinity` are nothing that a post needs."""


def _rescue(
    text: str, names: tuple[str, ...], error: ValueError
) -> tuple[Object, tuple[Fault, ...]]:
    found: Object = {}
    faults: list[Fault] = []
    for name in names:
        start = re.search(rf'"{name}"\s*:\s*\[', text)
        if start is not None:
            objects: list[Object] = []
            for step in _objects(text, start.end()):
                (faults if isinstance(step, Fault) else objects).append(step)  # type: ignore[arg-type]
            found[name] = objects
    if not any(found.values()):
        line = getattr(error, "lineno", 0)
        message = getattr(error, "msg", "cannot be read")
        raise SourceError(f"line {line}: not JSON: {message}", cure="export it again")
    if not faults:
        line = getattr(error, "lineno", 0)
        faults.append(Fault(message="damaged outside of its posts", line=line))
    return found, tuple(faults)


def _objects(text: str, at: int) -> Iterator[Object | Fault]:
    """Yield the objects of an array that begins before `at`, the damaged ones as faults."""
    depth, start = 0, at
    for mark in MARK.finditer(text, at):
        sign = mark[0]
        if sign in "{[":
            start = mark.start() if depth == 0 else start
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth < 0:
                return
            if depth == 0:
                yield _object(text, start, mark.end())
    line = text.count("\n", 0, start) + 1
    named = BEGINNING.search(text, start, start + 4096)
    what = (
        f"the file ends within `{named[2]}`"
        if named and depth
        else "the file ends early"
    )
    yield Fault(message=what, line=line, cure="export it again")


def _object(text: str, start: int, end: int) -> Object | Fault:
    try:
        value = json.loads(text[start:end], parse_constant=_no_number)
        if isinstance(value, dict):
            return value
        message = "no object"
        place = start
    except RecursionError:
        message, place = "nested too deeply", start
    except ValueError as error:
        message = f"not JSON: {getattr(error, 'msg', error)}"
        place = start + getattr(error, "pos", 0)
    named = BEGINNING.search(text, start, min(end, start + 4096))
    title = f"`{named[2]}`: " if named else ""
    line = text.count("\n", 0, place) + 1
    return Fault(message=title + message, line=line, cure="mend it, and import again")


def objects_of(value: Any) -> list[Object]:
    """Return the objects of a list; whatever else stands there is left out."""
    return (
        [item for item in value if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def text_of(item: Object, *names: str) -> str:
    """Return the first of these pairs that is text or a number, as text."""
    for name in names:
        value = item.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
    return ""


def number_of(item: Object, name: str) -> int:
    """Return a pair that is a count, else 0."""
    value = item.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if 0 <= value < 10**15 else 0
    return 0
