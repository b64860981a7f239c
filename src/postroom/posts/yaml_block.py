"""A YAML block of front matter becomes text, lists and maps: nothing is constructed.

libyaml composes the node graph, which is walked here: dates, numbers and `No` stay the
author's text, aliases and foreign tags are refused, and every fault has its place.
The pure-Python loader is never used: it refuses the TAB after a colon that many real
posts have, and costs ten times as much.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from postroom.errors import ConfigError, Problem
from postroom.posts.block import MAX_DEPTH, QUOTE_IT, Block, not_pairs, too_deep
from postroom.posts.keys import is_text_key

if TYPE_CHECKING:
    from postroom.posts.values import Value

if not yaml.__with_libyaml__:
    raise ConfigError(
        "PyYAML was installed without libyaml, which reads the front matter",
        cure="install a wheel: pip install --force-reinstall --only-binary :all: pyyaml",
    )

NULL = "tag:yaml.org,2002:null"
STANDARD = re.compile(r"tag:yaml\.org,2002:(?:str|int|float|bool|timestamp|seq|map)")
PLACEHOLDER = "unexpanded template placeholder"
FILL_IN = "write the value, or put it in quotes"

EVENTS_FROM = 4096
"""Characters above which a block is first checked as a stream of events."""
NESTING = re.compile(r"[\[{]|[-?] ")
"""What can open a level without indentation."""
MAX_REPAIRS = 8
"""Lines of one block that are read leniently."""

LONE_TEXT = re.compile(
    r"(?P<key>[^\W\d]\w*)[ \t]*:[ \t]+(?P<value>[^\s\"'|>{&*!%@`#].*)"
)


class PostLoader(yaml.CSafeLoader):
    """libyaml with one implicit type: null. All else that has no quotes is text."""


PostLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] == NULL]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    if any(tag == NULL for tag, _ in pairs)
}


def parse_yaml(block: Block) -> tuple[dict[str, Value], tuple[Problem, ...]]:
    """Return the pairs of a block, and warnings; raises PostError with place and cure.

    `title: a: b` and `title: [a] b` are no YAML but common: where the key is known to
    hold a line of text they are read as that text, with a warning.
    """
    warnings: list[Problem] = []
    node, block = _compose(block, warnings)
    if node is None:
        return {}, ()
    if not isinstance(node, yaml.MappingNode):
        raise not_pairs(block)
    walk = _Walk(block)
    walk.check(node)
    values = walk.pairs(node, 1)
    warnings.extend(_comments(block))
    return values, tuple(warnings)


# -- composing -----------------------------------------------------------------


def _compose(block: Block, warnings: list[Problem]) -> tuple[yaml.Node | None, Block]:
    """Compose the block, quoting a line that is meant as text when libyaml balks.

    Returns the block as it was read too: places in the node graph are places in it.
    """
    for repairs in range(MAX_REPAIRS + 1):
        try:
            _check_depth(block)
            loader = PostLoader(block.text)
            try:
                return loader.get_single_node(), block
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            mended = _quote(block.text, error) if repairs < MAX_REPAIRS else None
            if mended is None:
                raise block.error(*_explain(block, error)) from None
            text, index = mended
            message = f"`{block.line_at(index)}` is not YAML; read as text"
            warnings.append(block.problem(index, message, QUOTE_IT))
            block = replace(block, text=text)
    raise AssertionError("the last round returns or raises")


def _check_depth(block: Block) -> None:
    """Refuse deep nesting early: older libyaml needs seconds for 20,000 brackets."""
    few = len(NESTING.findall(block.text)) <= MAX_DEPTH
    if few and len(block.text) <= EVENTS_FROM:
        return
    depth = 0
    for event in yaml.parse(block.text, PostLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep(block, _index(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _index(mark: object) -> int:
    """Return the character a mark points to; its line counts other breaks than ours."""
    return int(getattr(mark, "index", 0))


def _quote(text: str, error: yaml.YAMLError) -> tuple[str, int] | None:
    """Quote the value of the line an error is on; None when that would be a guess."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return None
    lines = text.split("\n")
    number = text.count("\n", 0, mark.index)
    line = LONE_TEXT.fullmatch(lines[number].rstrip())
    follows = lines[number + 1] if number + 1 < len(lines) else ""
    if line is None or follows.startswith((" ", "\t")):
        return None
    value = line["value"]
    colon = ": " in value and value[0] != "["
    bracket = value[0] == "[" and "]" in value and value[-1] != "]"
    lone = " #" not in value and "{{" not in value and (colon or bracket)
    if not lone or not is_text_key(line["key"]):
        return None
    lines[number] = f"{line['key']}: '" + value.replace("'", "''") + "'"
    return "\n".join(lines), sum(len(before) + 1 for before in lines[:number])


# -- walking -------------------------------------------------------------------


class _Walk:
    """One walk over a node graph; knows the nodes it met, so that an alias is seen."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.met: set[int] = set()

    def value(self, node: yaml.Node, depth: int) -> Value:
        self.check(node)
        if isinstance(node, yaml.ScalarNode):
            return None if node.tag == NULL else str(node.value)
        if depth > MAX_DEPTH:
            raise too_deep(self.block, node.start_mark.index)
        if isinstance(node, yaml.MappingNode):
            return self.pairs(node, depth)
        return [self.value(item, depth + 1) for item in node.value]

    def pairs(self, node: yaml.MappingNode, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            index = key_node.start_mark.index
            key = self.key(key_node)
            if key in found:
                message = f"the key `{key}` is set twice"
                raise self.block.error(index, message, "keep one of the two")
            found[key] = self.value(value_node, depth + 1)
        return found

    def key(self, node: yaml.Node) -> str:
        self.check(node)
        if isinstance(node, yaml.ScalarNode):
            return str(node.value).strip()
        index = node.start_mark.index
        if "{{" in self.block.line_at(index):
            raise self.block.error(index, PLACEHOLDER, FILL_IN)
        raise self.block.error(index, "a list or map is used as a key", QUOTE_IT)

    def check(self, node: yaml.Node) -> None:
        """Refuse aliases (they expand without bound) and tags that would construct."""
        index = node.start_mark.index
        if id(node) in self.met:
            message = "YAML aliases (`*name`) are not read"
            raise self.block.error(index, message, "write the value out")
        self.met.add(id(node))
        if node.tag != NULL and not STANDARD.fullmatch(node.tag):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the YAML tag `{tag}` is not read"
            raise self.block.error(index, message, f"remove it, or {QUOTE_IT}")


def _comments(block: Block) -> list[Problem]:
    """Warn of a title that YAML cuts at `#`: the rest would be lost silently."""
    warnings: list[Problem] = []
    if " #" not in block.text:
        return warnings
    for found in re.finditer(
        r"^(\w+)[ \t]*:[ \t](?:[^\"'|>\n]*[ \t])??#", block.text, re.MULTILINE
    ):
        if is_text_key(found[1]):
            message = f"YAML reads what follows # in `{found[1]}` as a comment"
            warnings.append(block.problem(found.end() - 1, message, QUOTE_IT))
    return warnings


# -- explaining ----------------------------------------------------------------


def _explain(block: Block, error: yaml.YAMLError) -> tuple[int, str, str]:
    """Return where an error lies, what is wrong in an author's words, and the cure."""
    if not isinstance(error, yaml.MarkedYAMLError):
        index = getattr(error, "position", 0)
        return index, str(getattr(error, "reason", error)), "remove the character"
    problem, context = str(error.problem), str(error.context)
    index = _index(error.problem_mark)
    if "quoted scalar" in context or "flow" in context:
        return _explain_open(block, error)
    line = block.line_at(index)
    if "{{" in line or "{%" in line:
        return index, PLACEHOLDER, FILL_IN
    if "tab character" in problem or "\t" in line[: len(line) - len(line.lstrip())]:
        return index, "a TAB is used as indentation", "use spaces"
    for sign, (message, cure) in EXPLANATIONS.items():
        if sign in problem or sign in context:
            return index, message, cure
    return index, f"not YAML: {problem}", QUOTE_IT


def _explain_open(block: Block, error: yaml.MarkedYAMLError) -> tuple[int, str, str]:
    """Explain a fault inside quotes, brackets or braces, at the place they open."""
    problem, context = str(error.problem), str(error.context)
    index = _index(error.problem_mark)
    opened = _index(error.context_mark)
    if "{{" in block.line_at(opened):
        return opened, PLACEHOLDER, FILL_IN
    if "escape" in problem:
        cure = "use single quotes, or write `\\\\` for a backslash"
        return index, "a backslash in double quotes begins an escape", cure
    if "quoted" in context:
        return opened, "a quote is opened and never closed", "close the quote"
    cure = f"close the bracket, or {QUOTE_IT}"
    return opened, f"not a YAML list or map: {problem}", cure


EXPLANATIONS = {
    "mapping values are not allowed": ("a colon stands inside the value", QUOTE_IT),
    "cannot start any token": ("the value begins with a sign YAML reserves", QUOTE_IT),
    "could not find expected ':'": (
        "a line is not `key: value`",
        "add the key, or indent the line to continue the value above",
    ),
    "scanning an alias": ("`*` begins a YAML alias, which is not read", QUOTE_IT),
    "undefined alias": ("`*` begins a YAML alias, which is not read", QUOTE_IT),
    "anchor": ("`&` begins a YAML anchor", QUOTE_IT),
    "did not find expected key": (
        "text follows the end of a value, or a line is indented differently",
        f"{QUOTE_IT}, or align the keys",
    ),
    "nesting depth": (
        f"front matter is nested deeper than {MAX_DEPTH} levels",
        "front matter must be key: value pairs",
    ),
    "another document": ("a second YAML document begins here", "remove the `---`"),
}
