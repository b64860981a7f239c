"""An excerpt ends at a sentence or a word, within its length, never in a character."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.clusters import end_of
from postroom.posts.excerpt import _offset, build_excerpt
from postroom.posts.markdown import ILLEGAL

if TYPE_CHECKING:
    from pathlib import Path

FAMILY = "👩‍👩‍👧‍👦"


def clusters(text: str) -> list[str]:
    """Return what a reader counts as the signs of `text`."""
    return [str(cluster) for cluster in regex.findall(r"\X", text)]


def test_a_text_that_fits_stays_whole() -> None:
    """No ellipsis where nothing is missing."""
    assert build_excerpt("짧은  글\n하나", 10) == "짧은 글 하나"
    assert build_excerpt("가" * 10, 10) == "가" * 10
    assert build_excerpt("", 10) == ""


def test_a_long_text_ends_at_its_last_sentence_without_an_ellipsis() -> None:
    """The last sentence end in the last 40 % is a good place to stop."""
    text = "첫 문장은 여기에서 끝난다. 둘째 문장은 조금 더 길어서 들어가지 않는다."
    assert build_excerpt(text, 20) == "첫 문장은 여기에서 끝난다."


def test_a_sentence_end_in_the_first_part_is_too_early() -> None:
    """Better a cut word boundary than an excerpt of three words."""
    text = "끝. " + "이어지는 말이 아주 길다 " * 5
    excerpt = build_excerpt(text, 30)
    assert excerpt.endswith("…")
    assert len(clusters(excerpt)) > 20


@pytest.mark.parametrize(
    "sentence",
    [
        "그는 오래 걸었다.",
        "정말 그랬을까?",
        "그는 “간다.”",
        "끝났다(정말로).",
        "東京へ行きました。",
        "这是第一句话！",
        "It was a very long day.",
        'She said "no."',
    ],
)
def test_sentences_of_several_languages_end(sentence: str) -> None:
    """Closing quotes and brackets belong to the sentence they close."""
    text = sentence + " " + "나머지말" * 30
    assert build_excerpt(text, len(sentence) + 3) == sentence


def test_a_full_stop_before_hangul_ends_a_sentence() -> None:
    """Many write `했다.그리고` without a blank; `3.5` and `ex.kr` are no ends."""
    text = "어제는 비가 아주 많이 왔다.오늘은 " + "맑고" * 30
    assert build_excerpt(text, 22) == "어제는 비가 아주 많이 왔다."
    assert (
        build_excerpt("버전 3.5와 ex.kr 주소가 나란히" + "가" * 40, 12) == "버전 3.5와…"
    )


def test_a_word_is_kept_whole_when_it_is_near() -> None:
    """Without a sentence end the cut is between two eojeol, and counted."""
    text = "사람들은 아침마다 커피를 마시며 하루를 시작하고 저녁에는 산책을 한다"
    excerpt = build_excerpt(text, 20)
    assert excerpt == "사람들은 아침마다 커피를 마시며…"
    assert len(clusters(excerpt)) <= 20


def test_text_without_blanks_is_cut_at_a_cluster() -> None:
    """A line of one word still fills its space."""
    assert build_excerpt("가" * 100, 50) == "가" * 49 + "…"


def test_no_comma_bracket_or_quote_stands_before_the_ellipsis() -> None:
    """What opens nothing any more goes."""
    assert build_excerpt("사과, 배, (그리고 감과 귤과 포도", 7) == "사과, 배…"


def test_families_flags_jamo_and_devanagari_count_as_one() -> None:
    """What a reader sees as one sign is one, and is never split."""
    assert build_excerpt(FAMILY * 5, 3) == FAMILY * 2 + "…"
    assert build_excerpt("🇰🇷🇯🇵🇫🇷🇩🇪", 3) == "🇰🇷🇯🇵…"
    assert build_excerpt("क्षि" * 9, 4) == "क्षि" * 3 + "…"
    decomposed = unicodedata.normalize("NFD", "한글 문서 하나")
    assert build_excerpt(decomposed, 8) == "한글 문서 하나"


@given(st.text(), st.integers(min_value=1, max_value=60))
def test_any_text_gives_a_prefix_within_the_limit(text: str, limit: int) -> None:
    """Whatever the text, the excerpt is its beginning, whole clusters, printable."""
    excerpt = build_excerpt(text, limit)
    flat = " ".join(ILLEGAL.sub(" ", unicodedata.normalize("NFC", text)).split())
    assert len(clusters(excerpt)) <= limit
    assert not ILLEGAL.search(excerpt)
    if excerpt != flat:
        whole = clusters(flat)
        begun = (clusters(excerpt), clusters(excerpt.removesuffix("…")))
        assert any(whole[: len(kept)] == kept for kept in begun)


@given(st.integers(min_value=30, max_value=200))
def test_a_mountain_of_marks_is_still_one_cluster(marks: int) -> None:
    """Text is looked at up to a cap, which is no place to cut either."""
    excerpt = build_excerpt(("a" + "\u0301" * marks) * 5, 2)
    assert len(clusters(excerpt)) <= 2
    assert excerpt in {"…", "á" + "\u0301" * (marks - 1) + "…"}


def test_the_essays_this_began_with_end_at_a_sentence(corpora: Path) -> None:
    """Eight Korean essays, cut inside words by their portal, get a whole last sentence."""
    index = corpora.parent / "seed-essay-index.txt"
    if not index.is_file():
        pytest.skip("no index of essays beside the corpora")
    text = index.read_text(encoding="utf-8")
    essays = [
        line.partition("더보기")[0]
        for line in text.partition("에세이")[2].splitlines()
        if "더보기" in line
    ]
    assert len(essays) == 8
    for essay in essays:
        excerpt = build_excerpt(essay.rstrip(" ."), 200)
        assert excerpt.endswith((".", "다.", "?", "!")), excerpt[-20:]
        assert 120 <= len(clusters(excerpt)) <= 200


@given(
    text=st.text(
        st.one_of(
            st.characters(),
            st.sampled_from(
                "가나다 abc.다!\u200d\ufe0f\u0301\u1100\u1161🇰🇷👨‍👩‍👧©®™ก็\u0600"
            ),
        ),
        max_size=60,
    ),
    count=st.integers(0, 30),
)
def test_counting_signs_is_counting_clusters(text: str, count: int) -> None:
    """The short way gives what the long one does."""
    assert _offset(text, count) == end_of(text, count)
