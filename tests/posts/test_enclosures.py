"""Enclosures and episodes of any dialect: read, typed, or warned of with place and cure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import PostError
from postroom.posts.enclosures import MAX_DURATION, MAX_ENCLOSURES, parse_duration
from postroom.posts.head import parse_head
from postroom.posts.media_types import ending_of, type_of
from postroom.posts.post import Enclosure, Episode, Head, Rules, Source, Transcript

if TYPE_CHECKING:
    from pathlib import Path

RULES = Rules(
    site_url="https://blog.example/", language="ko", zone=ZoneInfo("Asia/Seoul")
)
SOUND = Enclosure(url="a.mp3")


def head(block: str, fence: str = "---") -> Head:
    """Read a post with `block` as front matter."""
    data = f"{fence}\n{block}\n{fence}\ntext\n".encode()
    return parse_head(Source(path="a.md", data=data), RULES)


def messages(found: Head) -> list[str]:
    """Return the warnings as printed."""
    return [str(problem) for problem in found.warnings]


# -- notations -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("enclosure: a.mp3", [SOUND]),
        ("enclosure: {url: a.mp3}", [SOUND]),
        ("enclosures: [a.mp3, {file: b.pdf, title: 표}]",
         [SOUND, Enclosure(url="b.pdf", title="표")]),
        ("enclosure: {url: 'https://c.kr/1', length: '48,211', type: Audio/MPEG, duration: '1:00:01', title: 소리}",
         [Enclosure(url="https://c.kr/1", media_type="audio/mpeg", length=48_211,
                    duration=3601, title="소리")]),
        # Hugo's Castanet.
        ("podcast_file: 1.mp3\npodcast_duration: '1:08:22'\npodcast_bytes: '1234'",
         [Enclosure(url="1.mp3", length=1234, duration=4102)]),
        # Jekyll's Octopod.
        ("audio:\n  mp3: 1.mp3\n  m4a: 1.m4a\nduration: '02:20:48'",
         [Enclosure(url="1.mp3", media_type="audio/mpeg", duration=8448),
          Enclosure(url="1.m4a", media_type="audio/mp4")]),
        # WordPress's custom field, its lines kept or folded.
        ('enclosure: "https://c.kr/1.mp3\\n12345\\naudio/mpeg\\n"',
         [Enclosure(url="https://c.kr/1.mp3", media_type="audio/mpeg", length=12345)]),
        ("enclosure: https://c.kr/1.mp3 12345 audio/mpeg",
         [Enclosure(url="https://c.kr/1.mp3", media_type="audio/mpeg", length=12345)]),
        ("audio_url: https://c.kr/listen?id=1",
         [Enclosure(url="https://c.kr/listen?id=1")]),
        ("enclosure: 음성 파일.mp3", [Enclosure(url="음성 파일.mp3")]),
        ("podcast: {src: a.mp3, size: 5, mime_type: audio/mpeg}",
         [Enclosure(url="a.mp3", length=5, media_type="audio/mpeg")]),
        ("audio: true\nvideo: b.webm", [Enclosure(url="b.webm")]),
        ("mp3: ''\nenclosure: [a.mp3]\naudio: b.mp3", [SOUND]),
        ("params:\n  enclosure: a.mp3", [SOUND]),
    ],
)  # fmt: skip
def test_notations(block: str, found: list[Enclosure]) -> None:
    """As themes for podcasts and exports of other programs write them."""
    assert list(head(block).enclosures) == found


def test_toml_numbers_and_times() -> None:
    """TOML has types of its own; they are text to us."""
    block = 'enclosure = {url = "a.mp3", length = 48_211, duration = 00:30:00}'
    found = Enclosure(url="a.mp3", length=48_211, duration=1800)
    assert head(block, "+++").enclosures == (found,)


@pytest.mark.parametrize(
    "block",
    [
        "podcast: 느린 우편함",
        "podcast: true",
        "audio: no",
        "video: {provider: youtube, id: x1}",
        "audio: []",
        "mp3: 320 kbps",
        "duration: soon\nepisode: one\nchapters: [00:00 intro]\nseason: spring",
    ],
)
def test_words_of_other_themes_are_no_enclosures(block: str) -> None:
    """They mean something else, and nobody is warned of them."""
    found = head(block)
    assert (found.enclosures, found.episode) == ((), None)
    assert messages(found) == []


# -- warnings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("enclosure: javascript:x", "a.md:2:1: `enclosure` has no address of a file"),
        ("title: a\nenclosure: {length: 5}", "a.md:3:1: `enclosure` has no address"),
        ("enclosures: [a.mp3, 'ftp://x/b.mp3']", "`enclosures` has no address"),
        ("enclosure: '{{ page.mp3 }}'", "`enclosure` has no address"),
        ("enclosure: a.xyz", "the name does not say what `a.xyz` is"),
        ("enclosure: {url: a.mp3, length: 5 MB}", "`5 MB` is no length in bytes"),
        ("enclosure: {url: a.mp3, length: -1}", "`-1` is no length in bytes"),
        ("enclosure: {url: a.mp3, length: 9999999999999999}", "no length in bytes"),
        ("enclosure: {url: a.mp3, type: mp3}", "`mp3` is no type"),
        ("enclosure: {url: a.mp3, duration: -5}", "`-5` is no duration"),
        ("enclosure: a.mp3\nduration: 90 min", "`90 min` is no duration"),
        ("enclosure: a.mp3\nepisode: one", "`episode: one` is no number from 1"),
        ("enclosure: a.mp3\nseason: 0", "`season: 0` is no number from 1"),
        ("enclosure: a.mp3\nepisode_type: special", "is none of full, trailer, bonus"),
        ("enclosure: a.mp3\nexplicit: perhaps", "neither true nor false"),
        ("enclosure: a.mp3\nchapters: [00:00 a, 01:00 b]", "JSON chapters file"),
        ("enclosure: a.mp3\ntranscript: {type: text/vtt}", "address of a transcript"),
        ("enclosure: a.mp3\nepisode_image: 'data:x'", "no address of a picture"),
    ],
)
def test_what_is_wrong_is_a_warning(block: str, said: str) -> None:
    """With its line and a cure; the post, and what is right of it, stays."""
    found = head(block)
    assert len(found.warnings) == 1
    (problem,) = found.warnings
    assert said in str(problem)
    assert problem.line > 1
    assert problem.cure


def test_endless_lists_are_cut() -> None:
    """A folder of files belongs into the text."""
    names = ", ".join(f"{n}.mp3" for n in range(MAX_ENCLOSURES + 9))
    found = head(f"enclosures: [{names}]")
    assert len(found.enclosures) == MAX_ENCLOSURES
    assert "more than 50 files" in messages(found)[0]


# -- durations and types -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1830", 1830),
        ("30:30", 1830),
        ("00:30:30", 1830),
        ("90:00", 5400),
        ("1:02:03.5", 3723),
        (" 59 ", 59),
        ("0", 0),
        (str(MAX_DURATION), MAX_DURATION),
        (str(MAX_DURATION + 1), None),
        ("1:60", None),
        ("1:60:00", None),
        ("-1", None),
        ("1:2:3:4", None),
        ("PT1H", None),
        ("", None),
        ("１２", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    """Seconds, MM:SS, HH:MM:SS; nothing that could be meant otherwise."""
    assert parse_duration(text) == seconds


@given(st.text())
def test_any_text_is_a_bounded_duration_or_none(text: str) -> None:
    """No text raises."""
    seconds = parse_duration(text)
    assert seconds is None or 0 <= seconds <= MAX_DURATION


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("a.MP3", "audio/mpeg"),
        ("https://c.kr/소리/a.b.ogg?x=1.pdf#y", "audio/ogg"),
        ("https://c.kr/mp3", ""),
        (".mp3", ""),
        ("a.xyz", ""),
        ("", ""),
    ],
)
def test_types_come_from_a_table_of_our_own(url: str, kind: str) -> None:
    """What the system thinks of endings would make other bytes on another machine."""
    assert type_of(url) == kind
    assert ending_of("a/b.c/d") == ""


# -- episodes ------------------------------------------------------------------------


def test_an_episode_in_full() -> None:
    """Everything podcast readers ask for."""
    found = head(
        "enclosure: a.mp3\nepisode: 12\nseason: '#2'\nepisode_type: Bonus\n"
        "explicit: clean\nepisode_image: a.jpg\nchapters: a.json\n"
        "transcript: [a.vtt, {url: 'https://c.kr/a', type: text/html, lang: en_us}, a.srt]"
    )
    assert found.episode == Episode(
        number=12,
        season=2,
        kind="bonus",
        explicit=False,
        image="a.jpg",
        chapters="a.json",
        transcripts=(
            Transcript(url="a.vtt", media_type="text/vtt"),
            Transcript(url="https://c.kr/a", media_type="text/html", language="en-US"),
            Transcript(url="a.srt", media_type="application/x-subrip"),
        ),
    )
    assert messages(found) == []


def test_a_sound_without_particulars_is_no_episode() -> None:
    """There is nothing to say."""
    assert head("enclosure: a.mp3").episode is None
    assert head("enclosure: a.mp3\nexplicit: yes").episode == Episode(explicit=True)


# -- anything ------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(st.text(max_size=20), st.sampled_from(["a.mp3", "https://a.kr/1", "5"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["url", "mp3", "length", "type", "duration", "title", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "enclosure",
                "audio",
                "podcast",
                "duration",
                "episode",
                "season",
                "chapters",
                "transcript",
                "explicit",
                "episode_type",
                "link",
            ]
        ),
        VALUES,
    )
)
def test_any_front_matter_is_read(pairs: dict[str, object]) -> None:
    """A value of any shape is an enclosure, a warning or nothing, never an error."""
    import json  # noqa: PLC0415 - JSON is front matter too

    data = json.dumps(pairs, indent=1).encode() + b"\ntext\n"
    found = parse_head(Source(path="a.md", data=data), RULES)
    for enclosure in found.enclosures:
        assert enclosure.url
        assert enclosure.length >= 0
        assert 0 <= enclosure.duration <= MAX_DURATION
    for problem in found.warnings:
        assert problem.message


def test_public_posts_gain_no_warnings(corpora: Path) -> None:
    """The new keys are words of other themes in real blogs, too."""
    words = ("enclosure", "no address", "`link`", "duration", "transcript")
    warned = []
    for path in sorted(corpora.rglob("*.md")):
        source = Source(path=path.name, data=path.read_bytes())
        try:
            found = parse_head(source, RULES)
        except PostError:
            continue
        warned += [
            problem
            for problem in found.warnings
            if any(word in problem.message for word in words)
        ]
    assert warned == []
