"""`[podcast]` and the groups of `[feeds]`: read, or refused with what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import ConfigError
from tests.config.scene import MINIMAL, read

if TYPE_CHECKING:
    from pathlib import Path


def test_a_site_is_no_podcast_by_default(tmp_path: Path) -> None:
    """It has feeds of all its parts, and archives."""
    config = read(tmp_path, MINIMAL)
    assert config.podcast.category == ""
    assert config.feeds.groups == ("topics", "authors", "languages")
    assert config.feeds.archive


def test_a_podcast_is_read(tmp_path: Path) -> None:
    """The category as directories spell it."""
    text = """
[podcast]
category = "society & culture > philosophy"
image = "https://blog.example/cover.jpg"
guid = "917393E3-1B1E-5CEF-ACE4-EDAA54E1F810"
funding = "https://blog.example/thanks"
"""
    podcast = read(tmp_path, MINIMAL + text).podcast
    assert podcast.category == "Society & Culture > Philosophy"
    assert podcast.guid == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert podcast.funding == "https://blog.example/thanks"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('category = "Art"', 'such as "Arts"'),
        ('guid = "1"', "must be a UUID"),
        ('image = "cover.jpg"', "must be an address"),
        ('kind = "weekly"', 'one of "episodic", "serial"'),
    ],
)
def test_faults_are_named(tmp_path: Path, line: str, said: str) -> None:
    """With the key, its line, and what would be right."""
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, f"{MINIMAL}\n[podcast]\n{line}\n")


def test_groups_can_be_chosen(tmp_path: Path) -> None:
    """A list, which may be empty."""
    text = MINIMAL + '\n[feeds]\ngroups = ["topics"]\narchive = false\n'
    feeds = read(tmp_path, text).feeds
    assert (feeds.groups, feeds.archive) == (("topics",), False)
