"""The cache of rendered posts: losing it costs time and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.store.rendered import RenderCache, Rendered

if TYPE_CHECKING:
    from pathlib import Path

ROW = Rendered(path="글.md", stamp=(1, 2, 3), digest="d", post="{}")


def test_it_keeps_replaces_and_forgets(tmp_path: Path) -> None:
    """By path, over runs."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep([ROW, Rendered(path="b", stamp=(1, 2, 3), digest="d", post="b")], [])
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep(
            [Rendered(path="글.md", stamp=(9, 2, 3), digest="e", post="x")], ["b"]
        )
        assert cache.rows() == {
            "글.md": Rendered(path="글.md", stamp=(9, 2, 3), digest="e", post="x")
        }


def test_another_key_empties_it(tmp_path: Path) -> None:
    """Other settings or other code render otherwise."""
    with RenderCache(tmp_path / "c.db", "k") as cache:
        cache.keep([ROW], [])
    with RenderCache(tmp_path / "c.db", "other") as cache:
        assert cache.rows() == {}


def test_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    """Garbage, and damage in the middle."""
    path = tmp_path / "c.db"
    path.write_bytes(
        b"not a database at all, and long enough to be read as a header" * 20
    )
    with RenderCache(path, "k") as cache:
        cache.keep([ROW], [])
        assert cache.rows() == {"글.md": ROW}
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with RenderCache(path, "k") as cache:
        cache.rows()
        cache.keep([ROW], [])


def test_where_the_disk_takes_none_it_lasts_for_the_run(tmp_path: Path) -> None:
    """A cache that cannot be written is no reason to stop."""
    path = tmp_path / "c.db"
    path.mkdir()
    with RenderCache(path, "k") as cache:
        cache.keep([ROW], [])
        assert cache.rows() == {"글.md": ROW}
