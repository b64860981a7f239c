"""Ids outlive files, addresses and ledgers, by the commands of `postroom posts`."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from postroom.files.lock import hold_lock
from tests.stage import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "2026-11-20T09:00+09:00"
SECOND = "2026-11-21T09:00+09:00"
THIRD = "2026-11-22T09:00+09:00"
OWN = "tag:me.example,2009:3"
FEEDS = ("atom.xml", "rss.xml", "feed.json")


def ids(site: Site) -> dict[str, str]:
    """Path → id of posts that are there."""
    rows = site.run("posts", "list", "--json").rows
    return {row["path"]: row["id"] for row in rows if row["present"]}


def feeds(site: Site) -> dict[str, bytes]:
    """The octets of every feed: main ones, archives, those of tags and the like."""
    public = site.root / "public"
    return {
        path.relative_to(public).as_posix(): path.read_bytes()
        for ending in ("xml", "json", "atom")
        for path in public.rglob(f"*.{ending}")
    }


def fed_ids(site: Site) -> list[str]:
    """The ids in the JSON Feed, newest first."""
    return [item["id"] for item in json.loads(feeds(site)["feed.json"])["items"]]


@pytest.fixture(scope="module")
def blog_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A blog of four posts, of which the last was mailed to two readers.

    One was renamed, one has an id of its own and a slug.
    """
    site = make_site(tmp_path_factory.mktemp("blog") / "site")
    site.run("build", "--now", FIRST)  # the day in the ids of this ledger
    site.import_readers(["a@reader.example", "b@reader.example"], "immediate")
    site.essay("2026-11-01", "하나")
    old = site.essay("2026-11-02", "둘")
    site.post(
        "own.md",
        f"---\ntitle: 셋\ndate: 2026-11-03\nid: {OWN}\nslug: three\n---\n\n글이다.\n",
    )
    site.publish(FIRST)
    old.rename(old.with_name("second-essay.md"))
    site.essay("2026-11-20", "넷")
    site.publish(SECOND)
    assert len(site.outbox()) == 2
    return site.root


@pytest.fixture
def blog(blog_folder: Path, tmp_path: Path) -> Site:
    """A copy of it; a site's folder may be moved."""
    return Site(shutil.copytree(blog_folder, tmp_path / "site"))


def rewrite(site: Site, old: str, new: str) -> None:
    """Rename and edit a post between two runs."""
    path = site.root / "posts" / old
    text = path.read_text(encoding="utf-8")
    path.unlink()
    site.post(new, text + "\n그리고 한 문단 더.\n")


# -- list ----------------------------------------------------------------------


def test_the_list_says_all_of_a_post(blog: Site) -> None:
    """In columns with heads for a person, and whole as JSON."""
    rows = {row["path"]: row for row in blog.run("posts", "list", "--json").rows}
    row = rows["2026-11-20-넷.md"]
    assert row.keys() == {
        "path", "id", "number", "mail", "reason", "first_seen", "present"
    }  # fmt: skip
    assert (row["number"], row["mail"], row["reason"]) == (1, "numbered", "")
    assert datetime.fromisoformat(row["first_seen"]) == datetime.fromisoformat(SECOND)
    assert rows["own.md"]["reason"] == "first run"

    (blog.root / "posts" / "own.md").unlink()
    head, *lines = blog.run("posts", "list").out.splitlines()
    assert head.split() == ["MAIL", "FIRST", "SEEN", "FILE", "ID", "PATH"]
    assert [line.split()[-1] for line in lines if "  gone  " in line] == ["own.md"]
    assert "number 1" in lines[0]


# -- adopt ---------------------------------------------------------------------


def test_a_post_renamed_and_edited_is_adopted(blog: Site) -> None:
    """It has its id again in every feed, and is not mailed as a new one."""
    before = ids(blog)["2026-11-20-넷.md"]
    rewrite(blog, "2026-11-20-넷.md", "four.md")
    blog.run("build", "--now", THIRD)
    meanwhile = ids(blog)["four.md"]
    assert meanwhile != before

    dry = blog.run("posts", "adopt", "2026-11-20-넷.md", "four.md", "--dry-run")
    assert before in dry.out
    assert ids(blog)["four.md"] == meanwhile

    # As a shell would complete it, from the site's folder.
    told = blog.run(
        "posts", "adopt", "posts/2026-11-20-넷.md", "posts/four.md", "--json"
    )
    assert told.json == {
        "path": "four.md",
        "id": before,
        "number": 1,
        "mail": "numbered",
        "given_up": meanwhile,
    }
    report = blog.publish(THIRD)

    assert report["editions"] == []
    assert len(blog.outbox()) == 2
    assert before in fed_ids(blog)
    assert meanwhile not in fed_ids(blog)
    assert all(meanwhile.encode() not in data for data in feeds(blog).values())


def test_an_id_that_was_given_up_is_never_used_again(blog: Site) -> None:
    """Not even by a new post at the very path that it derives from."""
    rewrite(blog, "own.md", "third.md")
    text = (blog.root / "posts" / "third.md").read_text(encoding="utf-8")
    blog.post("third.md", text.replace(f"id: {OWN}\n", ""))
    blog.run("build", "--now", THIRD)
    given_up = ids(blog)["third.md"]
    blog.run("posts", "adopt", "own.md", "third.md")
    blog.run("build", "--now", THIRD)
    (blog.root / "posts" / "third.md").rename(blog.root / "posts" / "3.md")
    blog.run("build", "--now", THIRD)

    blog.post("third.md", "---\ntitle: 새\ndate: 2026-11-21\n---\n\n새 글.\n")
    blog.run("build", "--now", THIRD)

    assert ids(blog)["3.md"] == OWN
    assert ids(blog)["third.md"] not in {given_up, OWN}


def test_a_post_that_was_mailed_as_new_needs_a_yes(blog: Site) -> None:
    """Then nobody gets it a third time, and who was to get it still does, once."""
    blog.subscribe("slow@reader.example", "--cadence", "daily")
    blog.essay("2026-11-21", "다섯")
    blog.publish("2026-11-21T10:00+09:00")
    rewrite(blog, "2026-11-21-다섯.md", "five.md")
    blog.publish("2026-11-21T11:00+09:00")
    assert len(blog.outbox()) == 2 + 2 + 2

    refused = blog.run("posts", "adopt", "2026-11-21-다섯.md", "five.md", code=2)
    assert "five.md: was numbered 3 as a new post" in refused.err
    assert "--yes" in refused.err
    blog.run("posts", "adopt", "2026-11-21-다섯.md", "five.md", "--yes")
    blog.publish(THIRD)

    letters = [item["To"] for item in blog.outbox()]
    assert sorted(letters).count("slow@reader.example") == 1
    assert len(letters) == 7
    blog.essay("2026-11-22", "여섯")
    (edition,) = blog.publish("2026-11-22T10:00+09:00")["editions"]
    assert edition["posts"] == 1
    rows = blog.run("posts", "list", "--json").rows
    assert [row["number"] for row in rows if row["number"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("never.md", "own.md", "never.md: no post of that path or id was published"),
        ("second-essay.md", "own.md", "second-essay.md: is still there"),
        ("2026-11-20-넷.md", "nowhere.md", "nowhere.md: no such post"),
    ],
)
def test_what_cannot_be_adopted_is_an_error(
    blog: Site, old: str, new: str, words: str
) -> None:
    """Exit code 2, and nothing changed."""
    (blog.root / "posts" / "2026-11-20-넷.md").unlink()
    before = blog.run("posts", "list", "--json").out

    assert words in blog.run("posts", "adopt", old, new, code=2).err

    assert blog.run("posts", "list", "--json").out == before


def test_ids_wait_while_a_run_is_at_work(blog: Site) -> None:
    """A run that numbers posts would write what it read before."""
    rewrite(blog, "own.md", "third.md")
    with hold_lock(
        blog.root / "state" / "lock", os.getpid(), datetime.fromisoformat(THIRD)
    ):
        blog.run("posts", "adopt", "own.md", "third.md", code=75)
        blog.run("posts", "import", str(blog.root / "public"), code=75)


# -- export and import ---------------------------------------------------------


def lose_ledger(site: Site) -> Path:
    """Do as docs/ids.md says: what is left of the state is put aside."""
    lost = site.root / "state.lost"
    (site.root / "state").rename(lost)
    return lost


def begin_again(site: Site, lost: Path) -> None:
    """The rest of what docs/ids.md says: the secret of links, the subscribers."""
    shutil.copy(lost / "secret", site.root / "state" / "secret")
    site.import_readers(["a@reader.example", "b@reader.example"], "immediate")


def assert_nothing_is_new(
    site: Site, before: dict[str, bytes], known: dict[str, str]
) -> None:
    """No letter, the same feeds to the octet, the same ids; and life goes on."""
    report = site.publish(THIRD)
    assert report["editions"] == []
    assert feeds(site) == before
    assert ids(site) == known
    assert not list((site.root / "outbox").glob("*.eml"))
    site.essay("2026-11-22", "다섯")
    (edition,) = site.publish("2026-11-22T10:00+09:00")["editions"]
    assert (edition["posts"], edition["audience"]) == (1, 2)
    assert set(known.values()) < set(fed_ids(site))


def test_a_lost_ledger_comes_back_from_the_output_folder(blog: Site) -> None:
    """The path of docs/ids.md, to its end: nobody gets an old post again, in any way."""
    before, known = feeds(blog), ids(blog)
    assert set(FEEDS) < before.keys()
    shutil.rmtree(blog.root / "outbox")
    (blog.root / "state" / "postroom.db").unlink()
    assert "the ledger is gone" in blog.run("publish", code=2).err

    lost = lose_ledger(blog)
    told = blog.run("posts", "import", str(blog.root / "public"))
    assert told.out.startswith("4 ids recorded, 0 known already, 0 problems")
    begin_again(blog, lost)

    assert_nothing_is_new(blog, before, known)


def test_a_lost_ledger_comes_back_from_an_export(blog: Site) -> None:
    """Also when the output folder was lost with it."""
    table = blog.root / "ids.jsonl"
    blog.run("posts", "export", str(table))
    assert blog.run("posts", "export").out.encode() == table.read_bytes()
    before, known = feeds(blog), ids(blog)
    shutil.rmtree(blog.root / "outbox")
    shutil.rmtree(blog.root / "public")

    lost = lose_ledger(blog)
    refused = blog.run("posts", "export", str(table), code=2)
    assert "no ledger" in refused.err
    told = blog.run("posts", "import", str(table), "--json").json
    assert (told["recorded"], told["problems"]) == (4, [])
    begin_again(blog, lost)

    assert_nothing_is_new(blog, before, known)


@pytest.mark.parametrize("name", FEEDS)
def test_any_one_of_our_feeds_is_enough(blog: Site, name: str) -> None:
    """Each has every id of the newest posts, and the authority."""
    known = ids(blog)
    lose_ledger(blog)

    blog.run("posts", "import", str(blog.root / "public" / name))

    assert ids(blog) == known
    authority = known["2026-11-01-하나.md"].rpartition(":")[0]
    again = blog.post("new.md", "---\ndate: 2026-11-10\n---\n\n글.\n")
    blog.run("build", "--now", THIRD)
    assert ids(blog)[again.name].startswith(authority)


def test_what_waited_for_mail_waits_for_a_person(blog: Site) -> None:
    """Nobody knows whether it went out after the export: it is held, not sent."""
    blog.essay("2026-11-21", "다섯")
    blog.run("build", "--now", THIRD)
    table = blog.root / "ids.jsonl"
    blog.run("posts", "export", str(table))
    lost = lose_ledger(blog)
    blog.run("posts", "import", str(table))
    begin_again(blog, lost)

    assert blog.publish(THIRD, "--yes")["editions"] == []
    blog.run("posts", "hold", "--release", "2026-11-21-다섯.md")
    (edition,) = blog.publish(THIRD)["editions"]

    assert edition["posts"] == 1


def test_a_dry_import_leaves_no_trace(blog: Site) -> None:
    """It says what it would do, with or without a ledger."""
    lose_ledger(blog)

    told = blog.run("posts", "import", "--dry-run", "--json", str(blog.root / "public"))

    assert told.json["recorded"] == 4
    assert not (blog.root / "state").exists()


def test_damage_is_named_and_costs_nothing_else(blog: Site) -> None:
    """File and line on stderr, exit code 1; the other ids are there."""
    table = blog.root / "ids.jsonl"
    blog.run("posts", "export", str(table))
    head, first, *rest = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([head, first[:-9], *rest]), encoding="utf-8")
    cut = blog.root / "cut.xml"
    cut.write_bytes(feeds(blog)["atom.xml"][:-9])
    lose_ledger(blog)

    ran = blog.run("posts", "import", str(table), code=1)
    assert f"{table}:2:1: not JSON" in ran.err
    assert ran.out.startswith("3 ids recorded")
    ran = blog.run("posts", "import", str(cut), code=1)
    assert "cut.xml" in ran.err
    assert ran.out.startswith("1 ids recorded, 3 known already")
    assert (
        "none.xml: No such file" in blog.run("posts", "import", "none.xml", code=2).err
    )
    empty = blog.root / "empty"
    empty.mkdir()
    assert "no feeds" in blog.run("posts", "import", str(empty), code=1).err


def test_an_id_never_changes_without_a_yes(blog: Site) -> None:
    """A ledger made by mistake is named post by post; with a yes the old ids are back."""
    known, before = ids(blog), feeds(blog)
    copy = blog.root / "published"
    (blog.root / "public").rename(copy)
    lose_ledger(blog)
    blog.publish(THIRD)
    mistaken = ids(blog)
    assert set(mistaken.values()) & set(known.values()) == {OWN}

    refused = blog.run("posts", "import", str(copy), code=1)
    assert refused.err.count("--yes") == 3
    assert ids(blog) == mistaken
    blog.run("posts", "import", "--yes", str(copy))
    blog.publish(THIRD)

    assert ids(blog) == known
    assert feeds(blog) == before


def test_a_run_without_its_ledger_makes_none_beside_our_feeds(blog: Site) -> None:
    """Every reader would get everything again; it says how to begin with the same ids."""
    known = ids(blog)
    lose_ledger(blog)
    for command in (
        ["publish"],
        ["build"],
        ["posts", "list"],
        ["publish", "--dry-run"],
    ):
        refused = blog.run(*command, code=2)
        assert "postroom posts import public" in refused.err
    blog.run("posts", "import", str(blog.root / "public"))
    blog.publish(THIRD)
    assert ids(blog) == known


def test_an_entry_without_post_can_be_adopted(blog: Site) -> None:
    """Its post had moved and changed before the ledger was lost: a person knows it."""
    known = ids(blog)
    rewrite(blog, "second-essay.md", "zweites.md")
    lose_ledger(blog)

    told = blog.run("posts", "import", str(blog.root / "public"))
    assert f"1 match no post: {known['second-essay.md']}" in told.out
    blog.run("posts", "adopt", known["second-essay.md"], "zweites.md")

    assert ids(blog)["zweites.md"] == known["second-essay.md"]


def test_a_blog_that_moves_to_us_keeps_its_ids(site: Site) -> None:
    """The feed of its old generator is a table of ids, also where addresses were longer."""
    site.essay("2026-11-01", "하나")
    site.post("2026-11-02-two.md", "둘째 글.\n")
    old = {"2026-11-01-하나.md": ("1", "하나"), "2026-11-02-two.md": ("2", "two")}
    items = "".join(
        f"<item><link>https://old.example/blog/posts/{slug}/</link>"
        f"<guid isPermaLink='false'>urn:old:{number}</guid>"
        f"<pubDate>0{number} Nov 2026 {hour}:00:00 +0900</pubDate></item>"
        for (number, slug), hour in zip(old.values(), ("07", "00"), strict=True)
    )
    feed = site.root / "old.xml"
    feed.write_text(f"<rss><channel>{items}<item/></channel></rss>", encoding="utf-8")

    ran = site.run("posts", "import", str(feed), code=1)
    assert ran.out.startswith("2 ids recorded, 0 known already, 1 problems")
    site.publish(FIRST)

    assert ids(site) == {path: f"urn:old:{number}" for path, (number, _) in old.items()}
    assert fed_ids(site) == ["urn:old:2", "urn:old:1"]
