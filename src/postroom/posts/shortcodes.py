"""The notations of other generators in a body: Hugo, Liquid, kramdown, Obsidian.

postroom runs none of these languages. What has a plain meaning (a figure, a video, a
code block, an address) becomes Markdown; the rest is left out with a warning, so that no
reader meets raw `{{< … >}}` or `{% … %}`. Code is never touched.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from postroom.errors import Problem
from postroom.posts.embeds import render_embed, render_figure
from postroom.posts.markdown import find_code

if TYPE_CHECKING:
    from collections.abc import Callable

HIDDEN = "\x04"
"""Stands within braces that are text (`{% raw %}`); the parser's output loses it."""

TRIGGER = re.compile(
    r"\{\{|\{%|\{[:#.]|\]\]\(|\]\]\{|!\[\[|\*\*https?:|^\[\[?_?toc_?\]\]?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
INNER = r"(?:[^{}]|\{(?![{%])|(?<!%)\}(?!\}))*+"
NOTATION = re.compile(
    rf"""
      \{{\{{ (?P<output>{INNER}) \}}\}}
    | \{{% (?P<tag>(?:[^{{}}%]|%(?!\}})|\{{\{{[^{{}}]*+\}}\}}|\{{(?![{{%])|(?<!%)\}})*+) %\}}
    | ^[ \t]*[*+-][ ][^\n]*\n[ \t]*\{{:toc[^\n{{}}]*\}}[ \t]*$
    | ^\[\[?_?toc_?\]\]?[ \t]*$
    | [ ]?\{{\#(?P<id>[\w:.-]+)[^\n{{}}]*\}}[ \t]*$
    | [ \t]?\{{(?::|[.#][\w-])[^\n{{}}]*\}}(?=[ \t]*$)
    | (?<=[)\]*_`>])\{{:[^\n{{}}]*\}}
    | !\[\[(?P<embed>[^\[\]\n|]+)(?:\|(?P<size>[^\[\]\n]*))?\]\]
    | \[\[(?P<page>[^\[\]\n|]+)\]\]\{{(?P<label>[^{{}}\n]+)\}}
    | \[\[(?P<number>[^\[\]\n|]+)\]\](?=\()
    | \*\*(?P<bold>https?://[^\s*<>]+)\*\*(?=[^\x00-\x7f])
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
MATHS = re.compile(r"\$\$(?:[^$\n]|\n(?![ \t]*\n))++\$\$|\$[^$\n\\]*+\\[^$\n]*+\$")
"""`\\frac{{a}}{{b}}` is no Liquid."""

PAIRED = re.compile(
    r"""\{%-?\s*(?P<liquid>raw|comment|highlight|codeblock)\b(?P<rest>[^{}%]*+)%\}[ \t]*
      | \{\{[<%]\s*(?P<hugo>highlight|comment)\b(?P<options>[^{}]*+)\}\}[ \t]*""",
    re.VERBOSE,
)
ARGUMENT = re.compile(
    r"""(?:(?P<key>[\w-]+)\s*=\s*)?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|`(?P<tick>[^`]*)`|(?P<bare>[^\s"'`=|]+))"""
)
LITERAL = re.compile(r"""["'](?P<text>(?:/|https?:)[^"'\s]*)["']\s*(?:\||$)""")
SITE_ROOT = re.compile(
    r"(?:site\.(?:base_?url|url|github\.url)|page\.base_?url)\b", re.IGNORECASE
)
ADDRESS_TAGS = frozenset(["post_url", "link", "ref", "relref"])
"""Tags whose argument is the target of a link."""
LANGUAGE = re.compile(r"[\w+#.-]+")


class Notations:
    """One body: what replaces its notations, and one warning for each kind left out."""

    def __init__(self, path: str, line: int, body: str) -> None:
        self.path = path
        self.line = line
        self.body = body
        self.warnings: dict[str, Problem] = {}
        self.endless: set[str] = set()

    def expand(self) -> str:
        """Return the body as plain Markdown."""
        body = self.body
        if not TRIGGER.search(body):
            return body
        if PAIRED.search(body):
            body = self._replace(body, PAIRED, self._expand_pair)
        return self._replace(body, NOTATION, self._expand_one)

    def _replace(
        self,
        body: str,
        pattern: re.Pattern[str],
        expand: Callable[[str, re.Match[str]], tuple[str, int]],
    ) -> str:
        """Replace what `pattern` finds outside code; `expand` says by what, up to where."""
        starts, ends = _protected(body)
        pieces: list[str] = []
        done = at = 0
        while found := pattern.search(body, at):
            here = bisect_right(starts, found.start()) - 1
            if here >= 0 and ends[here] > found.start():
                at = ends[here]
                continue
            text, at = expand(body, found)
            pieces += [body[done : found.start()], text]
            done = at
        return "".join((*pieces, body[done:]))

    # -- with an end: raw, comment, highlight ----------------------------------------

    def _expand_pair(self, body: str, start: re.Match[str]) -> tuple[str, int]:
        name = start["liquid"] or start["hugo"]
        end = self._find_end(body, start)
        if end is None:
            self._warn(start, f"{name} without an end")
            return "", start.end()
        inner = body[start.end() : end.start()]
        if name == "comment":
            return "", end.end()
        if name == "raw":
            return re.sub(r"\{(?=[{%])", "{" + HIDDEN, inner), end.end()
        options = start["rest"] or start["options"] or ""
        before = body[body.rfind("\n", 0, start.start()) + 1 : start.start()]
        after = body[end.end() : end.end() + 1]
        return _fence(inner, options, before, after), end.end()

    def _find_end(self, body: str, start: re.Match[str]) -> re.Match[str] | None:
        if start["liquid"]:
            pattern = rf"\{{%-?\s*end{start['liquid']}\s*-?%\}}"
        else:
            pattern = rf"\{{\{{[<%]\s*/\s*{start['hugo']}\s*[>%]\}}\}}"
        if pattern in self.endless:
            return None
        end = re.compile(pattern).search(body, start.end())
        if end is None:  # then there is none for any later start either
            self.endless.add(pattern)
        return end

    # -- without one -----------------------------------------------------------------

    def _expand_one(self, body: str, found: re.Match[str]) -> tuple[str, int]:
        return self._text_for(found), found.end()

    def _text_for(self, found: re.Match[str]) -> str:
        if found["output"] is not None:
            return self._expand_output(found)
        if found["tag"] is not None:
            return self._expand_tag(found, found["tag"].strip("- \n"), "{{% {} %}}")
        if found["id"]:
            return f'<a id="{found["id"]}"></a>'
        return _expand_brackets(found)

    def _expand_output(self, found: re.Match[str]) -> str:
        inner = found["output"]
        if inner[:1] in {"<", "%"} and inner[-1:] in {">", "%"}:
            sign = "{{{{< {} >}}}}" if inner[0] == "<" else "{{{{% {} %}}}}"
            return self._expand_tag(found, inner[1:-1].strip("- \n"), sign)
        inner = inner.strip("- \n")
        literal = LITERAL.match(inner)
        if literal:
            return literal["text"]
        if not SITE_ROOT.match(inner):
            self._warn(found, "{{ … }}")
        return ""

    def _expand_tag(self, found: re.Match[str], inner: str, sign: str) -> str:
        if not inner or inner.startswith("/"):  # the end of a pair, or a comment
            return ""
        kind, *rest = inner.split(None, 1)
        name = kind
        named, positional = _read_arguments("".join(rest).removesuffix(" /"))
        if name in ADDRESS_TAGS:
            return _address(name, positional)
        if name == "include" and positional:
            name = positional.pop(0).rpartition("/")[2].partition(".")[0]
        text = render_figure(name, named, positional) or render_embed(
            name, named, positional
        )
        if text is None and not name.startswith(("end", "els")):
            self._warn(found, sign.format(kind))
        return text or ""

    def _warn(self, found: re.Match[str], kind: str) -> None:
        if kind not in self.warnings:
            at = self.body.find(found[0])
            line = self.line + self.body.count("\n", 0, at) if at >= 0 else 0
            self.warnings[kind] = Problem(
                path=self.path,
                line=line,
                message=f"{kind} is of another generator; it is left out",
                cure="write it in Markdown or HTML, or put it in backticks",
            )


def _protected(body: str) -> tuple[list[int], list[int]]:
    """Return starts and ends of code and maths, sorted and apart."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(
        (*find_code(body), *(m.span() for m in MATHS.finditer(body)))
    ):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def _read_arguments(text: str) -> tuple[dict[str, str], list[str]]:
    named: dict[str, str] = {}
    positional: list[str] = []
    for argument in ARGUMENT.finditer(text):
        value = next(
            v
            for v in argument.group("double", "single", "tick", "bare")
            if v is not None
        )
        if argument["key"]:
            named[argument["key"].lower()] = value
        else:
            positional.append(value)
    return named, positional


def _address(name: str, positional: list[str]) -> str:
    target = positional[0] if positional else ""
    if name == "post_url":
        return f"{target.rpartition('/')[2]}.md"
    return f"/{target}" if name == "link" else target


def _fence(code: str, options: str, before: str, after: str) -> str:
    """Return a fenced block in place of a highlight tag, indented as the tag was."""
    language = LANGUAGE.match(options.strip(" >%-"))
    ticks = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, ticks + 1)
    indent = before if not before.strip() else ""
    lead = "" if not before.strip() else "\n\n"
    code = code.strip("\n").rstrip()
    end = "" if after in {"", "\n"} else "\n"
    return (
        f"{lead}{fence}{language[0] if language else ''}\n{code}\n{indent}{fence}{end}"
    )


def _expand_brackets(found: re.Match[str]) -> str:
    if found["embed"]:
        target = found["embed"].strip()
        return f"![{_alt(found['size'] or target)}](<wiki:{target}>)"
    if found["page"]:
        return f"[[{found['page']}|{found['label']}]]"
    if found["number"]:
        return f"[\\[{found['number']}\\]]"
    if found["bold"]:
        return f"**<{found['bold']}>**"
    return ""


def _alt(text: str) -> str:
    """Obsidian's `![[a.png|300]]` has a width there, not a text."""
    if re.fullmatch(r"[\dx]+", text):
        return ""
    return text.rpartition("/")[2].replace("[", "").replace("]", "")
