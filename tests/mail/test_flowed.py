"""Text flows: lines fit 72 columns, and readers that join them get the paragraph back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from postroom.mail.flowed import (
    LINE_COLUMNS,
    deletes_blanks,
    flow_paragraph,
    flow_text,
    stuff_lines,
)

WORDS = st.text(
    st.one_of(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E),
        st.sampled_from("가나다라마바사한글편지書道、。「」あいうえお👨‍👩‍👧é"),
    ),
    min_size=1,
    max_size=90,
)


def joined(text: str, *, delsp: bool) -> str:
    """What a reader that knows RFC 3676 makes of one flowed paragraph (§4.1, §4.2)."""
    paragraph = ""
    for line in text.split("\n"):
        unstuffed = line.removeprefix(" ")
        if unstuffed.endswith(" "):
            paragraph += unstuffed.removesuffix(" ") if delsp else unstuffed
        else:
            paragraph += unstuffed
    return paragraph


@given(st.lists(WORDS, min_size=1, max_size=30), st.booleans())
def test_a_flowed_paragraph_is_joined_to_what_it_was(
    words: list[str],
    delsp: bool,  # noqa: FBT001 - hypothesis hands it over by position
) -> None:
    """With DelSp always; without, when no word is wider than a line."""
    text = " ".join(words)
    flowed = stuff_lines(flow_paragraph(text, delsp=delsp))
    for line in flowed.split("\n"):
        assert "://" in line or wcswidth(line) <= LINE_COLUMNS
    fits = all(wcswidth(word) <= LINE_COLUMNS - 2 for word in words)
    if delsp or (fits and not flowed.startswith("--")):
        assert joined(flowed, delsp=delsp) == text


def test_an_address_is_never_broken() -> None:
    """However long, and whatever stands around it."""
    url = "https://blog.example/" + "a-long-way/" * 20
    for delsp in (False, True):
        lines = flow_paragraph(f"먼저 {url} 나중", delsp=delsp).split("\n")
        assert url in [line.strip() for line in lines]


def test_a_word_wider_than_a_line_is_broken_between_clusters() -> None:
    """Nothing else in a letter may be wider than 72 columns."""
    lines = flow_paragraph("가" * 100, delsp=False).split("\n")
    assert [len(line) for line in lines] == [35, 35, 30]
    assert not any(line.endswith(" ") for line in lines)


def test_japanese_breaks_between_characters_but_not_before_a_stop() -> None:
    """Kinsoku: no line begins with 、 or 。, none ends with 「."""
    text = "手紙は、ゆっくり届く。「それでいい」と、郵便箱は言った。" * 5
    lines = flow_paragraph(text, delsp=True).split("\n")
    assert len(lines) > 2
    assert not any(line.startswith(("、", "。", "」")) for line in lines)
    assert not any(line.rstrip().endswith("「") for line in lines)
    assert deletes_blanks("ja-JP")
    assert not deletes_blanks("ko")


@pytest.mark.parametrize("line", [" code", "> quoted", "From here"])
def test_what_flowing_would_misread_is_stuffed(line: str) -> None:
    """RFC 3676 §4.4."""
    assert stuff_lines(line) == " " + line


def test_code_keeps_its_lines() -> None:
    """Indented lines are not wrapped and do not flow."""
    code = "    if 1:  " + "x" * 80
    assert flow_text(f"말.\n\n{code}  ", delsp=False) == f"말.\n\n{code}"


def test_only_the_letter_begins_a_footer() -> None:
    """A dash before a word that needs a line of its own is not `-- `."""
    assert "-- " not in flow_paragraph("-- " + "a" * 70, delsp=False).split("\n")
