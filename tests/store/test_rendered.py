"""The cache of rendered posts: losing it costs time and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.post import Person, Spine, seconds_of
from postroom.store.rendered import Body, CacheDamagedError, RenderCache, Rendered

if TYPE_CHECKING:
    from pathlib import Path

SPINE = Spine(
    path="글.md",
    title="글",
    published_at=1.5,
    updated_at=None,
    expires_at=None,
    slug="글",
    url_path="posts/글/",
    language="ko",
    tags=("가", "나"),
    authors=(Person(name="한미나", email="m@blog.example", url=""),),
    canonical_url="",
    id="",
    mailed=True,
    digest="d",
    files=("img/a\x1fb.png",),
    asks=True,
    seen=-(2**63),
    listed=2**63 - 1,
    named=0,
)
STAMP = (1, 2, 3)
BODY = Body("<p>a</p>", "<p>b</p>", "c")
POST = Rendered(spine=SPINE, stamp=STAMP, card="[]", body=BODY)
OTHER = POST._replace(spine=SPINE._replace(path="b.md"))


def test_it_keeps_replaces_and_forgets(tmp_path: Path) -> None:
    """By path, over runs."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep(POST)
        cache.keep(OTHER)
        cache.commit()
    changed = SPINE._replace(title="다른 글")
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep(Rendered(spine=changed, stamp=(9, 2, 3), card="{}", body=BODY))
        cache.forget(["b.md"])
        assert cache.spines() == {"글.md": ((9, 2, 3), changed)}
        assert (cache.card("글.md"), cache.body("글.md")) == ("{}", BODY)
        with pytest.raises(CacheDamagedError):
            cache.card("b.md")


def test_what_is_not_committed_is_not_kept(tmp_path: Path) -> None:
    """A killed run leaves what the one before it left."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep(POST)
    with RenderCache(tmp_path / "c.db", "k") as cache:
        assert cache.spines() == {}


@given(instant=st.datetimes(timezones=st.just(UTC)))
def test_every_instant_comes_back(instant: datetime) -> None:
    """To the microsecond in this age, to far less than a second in any."""
    spine = SPINE._replace(published_at=seconds_of(instant))
    with RenderCache(None, "k") as cache:
        cache.keep(POST._replace(spine=spine))
        back = cache.spines()["글.md"][1].published
    assert back is not None
    assert abs(back - instant) < timedelta(milliseconds=1)


def test_it_keeps_what_outputs_were_made_from(tmp_path: Path) -> None:
    """By path; those that are no longer made are forgotten."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep_outputs({"a": 1, "b": -2}, [])
        cache.keep_outputs({"b": 3}, ["a"])
        cache.keep_map_key(-7)
        cache.commit()
    with RenderCache(tmp_path / "c.db", "k") as cache:
        assert (cache.outputs(), cache.map_key()) == ({"b": 3}, -7)


def test_a_touched_file_gets_its_new_stamp(tmp_path: Path) -> None:
    """Its content is the same."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep(POST)
        cache.restamp("글.md", (7, 8, 9))
        assert cache.spines() == {"글.md": ((7, 8, 9), SPINE)}


def test_another_key_empties_it(tmp_path: Path) -> None:
    """Other settings or other code render otherwise; so does another kind of file."""
    path = tmp_path / "c.db"
    with RenderCache(path, "k") as cache:
        cache.keep(POST)
        cache.commit()
    with RenderCache(path, "other") as cache:
        assert (cache.spines(), cache.map_key()) == ({}, 0)


def test_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    """Garbage at once; damage in the middle when it is met."""
    path = tmp_path / "c.db"
    path.write_bytes(
        b"not a database at all, and long enough to be read as a header" * 20
    )
    with RenderCache(path, "k") as cache:
        for number in range(100):
            spine = SPINE._replace(path=f"{number}.md")
            cache.keep(Rendered(spine=spine, stamp=STAMP, card="x" * 999, body=BODY))
        cache.commit()
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    with RenderCache(path, "k") as cache:
        cache.spines()
        with pytest.raises(CacheDamagedError):
            [cache.body(f"{number}.md") for number in range(100)]
    assert not path.exists()


def test_where_the_disk_takes_none_it_lasts_for_the_run(tmp_path: Path) -> None:
    """A cache that cannot be written is no reason to stop."""
    path = tmp_path / "c.db"
    path.mkdir()
    with RenderCache(path, "k") as cache:
        cache.keep(POST)
        cache.commit()
        assert cache.spines() == {"글.md": (STAMP, SPINE)}
