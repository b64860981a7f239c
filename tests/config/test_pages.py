"""`site.pages`, `site.media`, `posts.permalink`, `posts.exclude`: right alone and together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import ConfigError
from tests.config.scene import MINIMAL, read

if TYPE_CHECKING:
    from pathlib import Path

AWAY = MINIMAL + "pages = false\n"
PATTERN = '[posts]\npermalink = "https://blog.example/{year}/{slug}/"\n'


def test_pages_of_another_program_have_a_pattern(tmp_path: Path) -> None:
    """Pictures are copied unless the site says otherwise."""
    config = read(tmp_path, AWAY + PATTERN + 'exclude = ["Templates/", "/a/b"]\n')
    assert not config.site.pages
    assert config.site.media
    assert config.posts.permalink == "https://blog.example/{year}/{slug}/"
    assert config.posts.exclude == ("Templates", "a/b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (AWAY, ":3: site.pages: is false, and nothing says where posts are read"),
        (MINIMAL + PATTERN, ":4: posts.permalink: is for pages that another program"),
        (MINIMAL + "media = false\n", ":3: site.media: is false"),
        (
            AWAY + '[posts]\npermalink = "https://blog.example/{slgu}/"\n',
            ":5: posts.permalink: 'https://blog.example/{slgu}/' has no placeholder",
        ),
        (MINIMAL + '[posts]\nexclude = "x"\n', None),
        (MINIMAL + "[posts]\nexclude = 3\n", ":4: posts.exclude: 3 must be a list"),
        (MINIMAL + '[posts]\nexclude = ["../x"]\n', "inside the posts folder"),
    ],
)
def test_faults_name_file_line_and_key(
    tmp_path: Path, text: str, says: str | None
) -> None:
    """And what would be right."""
    if says is None:
        assert read(tmp_path, text).posts.exclude == ("x",)
        return
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
