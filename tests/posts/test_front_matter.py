"""Front matter of every dialect is split and read; no block is ever taken for body."""

from __future__ import annotations

import importlib
import time

import pytest
import yaml

from postroom.errors import ConfigError, PostError, Problem
from postroom.posts import yaml_block
from postroom.posts.decode import parse_text
from postroom.posts.front_matter import FrontMatter, parse_front_matter
from postroom.posts.post import Source


def read(text: str, *, pelican: bool = False) -> FrontMatter:
    """Read the front matter of a file `a.md`."""
    source = parse_text(Source(path="a.md", data=text.encode()))
    return parse_front_matter(source, pelican=pelican)


def fault(text: str, *, pelican: bool = False) -> Problem:
    """Return the problem that reading raises."""
    with pytest.raises(PostError) as caught:
        read(text, pelican=pelican)
    return caught.value.problem


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: a\n---\nbody\n",
        "---\ntitle: a\n...\nbody\n",
        "-----\ntitle: a\n-----\nbody\n",
        "--- \t\ntitle: a\n---  \nbody",
        " ---\ntitle: a\n---\nbody",
        '+++\ntitle = "a"\n+++\nbody\n',
        '{"title": "a"}\nbody',
        '{\n  "title": "a"\n}\n\n\nbody\n',
        "\n\n---\ntitle: a\n---\n\nbody\n\n",
    ],
)
def test_each_fence_gives_pairs_and_body(text: str) -> None:
    """The dialect makes no difference to what is read."""
    front = read(text)
    assert front.values == {"title": "a"}
    assert front.body == "body"
    assert front.found
    line = text.split("\n").index("body") + 1
    assert front.body_line == line


@pytest.mark.parametrize(
    "text",
    [
        "Plain text.\n\n---\n\ntitle: a\n\n---\n",
        "{{< figure >}}\ntext",
        "{% include x %}",
        "{: .class}",
        "Note: text",
        "* * *\ntext",
        "--\ntitle: a\n--",
    ],
)
def test_other_texts_have_no_front_matter(text: str) -> None:
    """Rules later on, shortcodes and `Note:` are body."""
    front = read(text)
    assert not front.found
    assert front.values == {}
    assert front.body == text.strip()


def test_the_body_keeps_its_indentation() -> None:
    """Code at the beginning of a body stays code."""
    assert read("---\na: b\n---\n\n    code\n\ntext\n").body == "    code\n\ntext"
    assert read("\n    code\n").body == "    code"


def test_yaml_scalars_stay_the_text_of_the_author() -> None:
    """No year becomes a number, no Norwegian false, no octal 83, no time seconds."""
    front = read(
        "---\na: 2024\nb: 2024-01-02\nc: No\nd: 0123\ne: 12:30:45\nf: 3.10\n"
        "g: !!int 7\nh: ~\ni:\nj: ''\n1: x\ncontent: y\nhandler: z\ntags:\tt\n---\n"
    )
    assert front.values == {
        "a": "2024", "b": "2024-01-02", "c": "No", "d": "0123", "e": "12:30:45",
        "f": "3.10", "g": "7", "h": None, "i": None, "j": "", "1": "x",
        "content": "y", "handler": "z", "tags": "t",
    }  # fmt: skip


def test_toml_and_json_values_become_text_too() -> None:
    """Numbers, booleans and TOML's dates have the spelling that YAML would have."""
    toml = "+++\na = 1\nb = true\nc = 2024-01-02T09:00:00+09:00\nd = [1.50]\n[e]\nf = 2024-01-02\n+++\n"
    assert read(toml).values == {
        "a": "1",
        "b": "true",
        "c": "2024-01-02 09:00:00+09:00",
        "d": ["1.50"],
        "e": {"f": "2024-01-02"},
    }
    assert read('{"a": 1.50, "b": true, "c": null, "d": {"e": []}}').values == {
        "a": "1.50",
        "b": "true",
        "c": None,
        "d": {"e": []},
    }


@pytest.mark.parametrize(
    ("text", "place", "message", "cure"),
    [
        ("\n---\nauthor: @me\n---\n", (3, 9), "sign YAML reserves", "quotes"),
        ("---\nx: a: b\n---\n", (2, 5), "a colon stands inside", "quotes"),
        ("---\na: b\n\tc: d\n---\n", (3, 1), "TAB", "spaces"),
        ("---\nx: {{ date }}\n---\n", (2, 5), "template placeholder", "value"),
        ("---\nx: {% now %}\n---\n", (2, 5), "template placeholder", "value"),
        ("---\nx: a\ny: 'it's'\n---\n", (3, 8), "follows the end of a value", "quotes"),
        ('---\nx: "a\n---\nb"\n---\n', (2, 4), "never closed", "close the quote"),
        ('---\nx: "\\d"\n---\n', (2, 5), "backslash", "single quotes"),
        ("---\nx: [a\ny: b\n---\n", (2, 4), "not a YAML list", "close the bracket"),
        ("---\na: b\nc\nd: e\n---\n", (4, 1), "a line is not `key: value`", "key"),
        ("---\nx: *bold* a\n---\n", (2, 9), "`*` begins", "quotes"),
        ("---\nx: &a [b]\ny: *a\n---\n", (2, 4), "aliases", "write the value"),
        ("---\nx: !!python/object:os.x {}\n---\n", (2, 4), "!!python", "remove it"),
        ("---\nx: !important\n---\n", (2, 4), "`!important`", "quotes"),
        ("---\nx: !!binary aGk=\n---\n", (2, 4), "!!binary", "remove it"),
        ("---\nx: a\ny: b\nx: c\n---\n", (4, 1), "`x` is set twice", "keep one"),
        ("---\nx:\n  y: a\n  y: b\n---\n", (4, 3), "`y` is set twice", "keep one"),
        ("---\ntitle: a: 'b'\nx: y\nx: z\n---\n", (4, 1), "`x` is set", "keep one"),
        ("---\ntitle: a: b\nx: y: z\n---\n", (3, 5), "a colon stands", "quotes"),
        ("---\n? [a]\n: b\n---\n", (2, 3), "used as a key", "quotes"),
        ("---\na: b\n--- c\n---\n", (3, 1), "second YAML document", "remove"),
        ("---\n- a\n---\n", (2, 1), "key: value pairs", "key: value"),
        ("---\nhello\n---\n", (2, 1), "key: value pairs", "key: value"),
        ("\n---\na: b\n", (2, 1), "opened on line 2 is never closed", "`---`"),
        ("+++\na = 1\n", (1, 1), "opened on line 1 is never closed", "`+++`"),
        ("+++\na = 1\nb = c\n+++\n", (3, 5), "not TOML: Invalid value", "quotes"),
        ("+++\na = 1\na = 2\n+++\n", (3, 6), "not TOML", "each key once"),
        ('{"a": 1,}\n', (1, 9), "not JSON", "commas"),
        ('{\n"a": 1\nb', (3, 1), "not JSON", "commas"),
        ('{"a": 1, "a": 2}\n', (1, 11), "`a` is set twice", "keep one"),
        ('{"a": 1} b\n', (1, 9), "text follows", "new line"),
    ],
)  # fmt: skip
def test_faults_have_place_and_cure(
    text: str, place: tuple[int, int], message: str, cure: str
) -> None:
    """Line and column count in the file; the cure is one an author can follow."""
    problem = fault(text)
    assert (problem.line, problem.column) == place, str(problem)
    assert message in problem.message
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("title: a: b", "a: b"),
        ("title: [번역] 제목", "[번역] 제목"),
        ("Subject: it's: fine", "it's: fine"),
        ("summary: a: b: c", "a: b: c"),
    ],
)
def test_a_title_with_a_colon_or_brackets_is_read(line: str, title: str) -> None:
    """What an author plainly means is read, with a warning that names the line."""
    front = read(f"---\nx: y\n{line}\nz: {{}}\n---\nbody")
    key = line.partition(":")[0]
    assert front.values == {"x": "y", key: title, "z": {}}
    assert [problem.line for problem in front.warnings] == [3]


@pytest.mark.parametrize(
    "block",
    ["title: a: b\n  c", "date: a: b", "title: a: {{b}}", "title: a: b # c"],
)
def test_nothing_is_read_leniently_that_is_a_guess(block: str) -> None:
    """Folded lines, other keys, placeholders and comments stay errors."""
    assert fault(f"---\n{block}\n---\n").line == 2


def test_a_title_cut_by_a_comment_is_warned_of() -> None:
    """`title: Notes #1` loses its number in YAML; the author is told."""
    front = read("---\ntitle: Notes #1\n---\n")
    assert front.values == {"title": "Notes"}
    assert front.warnings[0].column == 14
    assert not read('---\ntitle: "Notes #1"\ntags: [a] # x\n---\n').warnings


def test_a_pelican_header_is_read_only_when_asked_for() -> None:
    """`Key: value` lines up to a blank one; indented lines continue."""
    text = "Title: a: b\nTags: x, y\nSummary: one\n    two\n\nbody: text\n"
    front = read(text, pelican=True)
    assert front.values == {"Title": "a: b", "Tags": "x, y", "Summary": "one\ntwo"}
    assert (front.body, front.body_line) == ("body: text", 6)
    assert read(text).body.startswith("Title:")
    assert read("No header\n\nText: a", pelican=True).values == {}
    assert read("---\ntitle: a\n---\n", pelican=True).values == {"title": "a"}
    assert fault("Title: a\nodd\n\nb", pelican=True).line == 2
    assert fault("Title: a\nTitle: b\n", pelican=True).line == 2


HUGE = 64 * 1024


@pytest.mark.parametrize(
    "text",
    [
        "---\na: " + "[" * 60_000 + "\n---\n",
        "---\na: " + "{b: " * 15_000 + "\n---\n",
        "---\n" + "- " * 30_000 + "\n---\n",
        "---\n" + "? " * 30_000 + "\n---\n",
        "---\n" + "\n".join(" " * i + "a:" for i in range(300)) + "\n---\n",
        "---\na: " + "[" * 21 + "]" * 21 + "\n---\n",
        "+++\na = " + "[" * 60_000 + "\n+++\n",
        "+++\n" + ".".join("a" * 30_000) + " = 1\n+++\n",
        '{"a": ' + "[" * 60_000,
        '{"a": ' + "[" * 30 + "]" * 30 + "}",
    ],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    """Twenty levels are enough for any post; more costs no time."""
    started = time.process_time()
    problem = fault(text)
    assert time.process_time() - started < 0.1
    assert "nest" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "---\na: " + "x" * HUGE + "\n---\n",
        '+++\na = "' + "x" * HUGE + '"\n+++\n',
        '{"a": "' + "x" * HUGE + '"}\nb',
    ],
)
def test_a_block_over_the_limit_is_refused(text: str) -> None:
    """64 KiB of front matter is a body in the wrong place."""
    assert fault(text).cure


def test_the_alias_bomb_is_refused() -> None:
    """Ten levels of ten aliases would be ten thousand million values."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 11)]
    started = time.process_time()
    problem = fault("---\n" + "\n".join(lines) + "\n---\n")
    assert time.process_time() - started < 0.1
    assert "aliases" in problem.message


def test_messages_carry_no_terminal_codes() -> None:
    """An escape written in JSON does not reach the operator's terminal."""
    problem = fault('{"\\u001b[31m\\n": 1, "\\u001b[31m\\n": 2}')
    assert problem.message == "the key `[31m ` is set twice"


def test_yaml_without_libyaml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow loader reads less, so the installation is named as the fault."""
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    with pytest.raises(ConfigError, match="libyaml"):
        importlib.reload(yaml_block)
