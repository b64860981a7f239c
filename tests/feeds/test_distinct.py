"""No two entries of a feed changed in the same second, and old ones never move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from postroom.feeds.distinct import plan_delays

SECONDS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-3, 6))


def moments(changed: dict[str, int], published: list[str]) -> dict[str, int]:
    """The second of each post in feeds."""
    delays = plan_delays(changed, published)
    assert all(delay > 0 for delay in delays.values())
    return {path: second + delays.get(path, 0) for path, second in changed.items()}


def test_the_first_published_keeps_its_second() -> None:
    """The others follow in the order in which they came."""
    changed = {"a": 0, "b": 0, "c": 0, "d": 9}
    assert plan_delays(changed, ["b", "d", "a", "c"]) == {"a": 1, "c": 2}


@given(SECONDS, st.permutations(list("abcdefgh")))
def test_all_seconds_differ(changed: dict[str, int], published: list[str]) -> None:
    """Whatever stands how close together; none is moved before its time."""
    told = moments(changed, published)
    assert len(set(told.values())) == len(changed)
    assert all(told[path] >= changed[path] for path in changed)


@given(SECONDS, st.permutations(list("abcdefgh")), st.integers(-3, 6))
def test_a_new_post_of_an_old_second_moves_no_post_of_that_second(
    changed: dict[str, int], published: list[str], second: int
) -> None:
    """It is the last to be published."""
    before = moments(changed, published)
    after = moments({**changed, "new": second}, [*published, "new"])
    same = [path for path, each in changed.items() if each <= second]
    assert {path: after[path] for path in same} == {path: before[path] for path in same}
