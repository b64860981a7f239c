"""Text is measured and cut as it is displayed, never inside what a reader sees as one."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.characters import clean_line
from postroom.mail.columns import columns_of, cut_to_columns, split_columns


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("편지", 4), ("é", 1), ("👨‍👩‍👧", 2), ("a\u034f\u2007", 2)],
)
def test_width_is_that_of_the_display(text: str, columns: int) -> None:
    """Hangul and emoji take two columns, joiners and marks none."""
    assert columns_of(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "cut"),
    [
        ("짧다", 10, "짧다"),
        ("느린 우편함 이야기", 13, "느린 우편함…"),
        ("느린, 우편함", 8, "느린…"),
        ("띄어쓰기없는아주긴말", 9, "띄어쓰기…"),
        ("가 " + "나" * 30, 21, "가 " + "나" * 8 + "…"),
    ],
)
def test_a_cut_prefers_a_blank(text: str, columns: int, cut: str) -> None:
    """Unless that would throw away more than half of the room."""
    assert cut_to_columns(text, columns) == cut


@given(st.text(max_size=120), st.integers(min_value=1, max_value=80))
def test_a_cut_fits_and_splits_no_cluster(text: str, columns: int) -> None:
    """And what is kept is the beginning."""
    text = clean_line(text)
    cut = cut_to_columns(text, columns)
    assert columns_of(cut) <= columns
    kept = cut.removesuffix("…")
    assert text.startswith(kept)
    ends = {cluster.end() for cluster in regex.finditer(r"\X", text)} | {0}
    assert cut == text or len(kept) in ends


@given(st.text(max_size=120), st.integers(min_value=2, max_value=40))
def test_split_loses_nothing(text: str, columns: int) -> None:
    """Pieces join to the whole."""
    assert "".join(split_columns(text, columns)) == text
