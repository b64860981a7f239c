"""The main job through the real command line: posts become feeds, pages and letters."""

from __future__ import annotations

import shutil
import subprocess
import sys
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import feedparser
import pytest

from tests.stage import Relay, Site, free_port, make_site, running, smtp_settings

if TYPE_CHECKING:
    from pathlib import Path

SUNDAY = "2026-11-22T12:00:00+09:00"
MONDAY = "2026-11-23T08:05:00+09:00"
TUESDAY = "2026-11-24T08:05:00+09:00"
NEXT_MONDAY = "2026-11-30T08:05:00+09:00"


def started(site: Site) -> Site:
    """A site whose first run, with one old post, is over."""
    site.essay("2026-11-01", "첫 글")
    site.publish(SUNDAY)
    return site


def test_posts_become_feeds_pages_and_a_letter_for_each_subscriber(site: Site) -> None:
    """One command does the whole job; its report is the documented object."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "weekly", "--name", "김민지")
    site.subscribe("jun@reader.example", "--cadence", "weekly", "--topic", "연구")
    site.subscribe("noah@reader.example", "--cadence", "daily", "--language", "en")
    site.essay("2026-11-22", "연구 돌 올려놓기", "연구")
    site.essay("2026-11-23", "느린 편지", "생각")
    report = site.publish("2026-11-23T09:05:00+09:00")
    assert report["posts"] == {
        "published": 3,
        "drafts": 0,
        "scheduled": 0,
        "pages": 0,
        "problems": [],
    }
    assert report["files"]["written"] > 5
    editions = {edition["cadence"]: edition for edition in report["editions"]}
    assert editions["weekly"]["audience"] == 2
    assert editions["weekly"]["posts"] == 2
    assert editions["daily"]["audience"] == 1
    assert report["deliveries"] == {"accepted": 3}
    feed = feedparser.parse(str(site.root / "public/atom.xml"))
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == [
        "느린 편지",
        "연구 돌 올려놓기",
        "첫 글",
    ]
    letters = {
        message["To"].addresses[0].addr_spec: message for message in site.outbox()
    }
    assert set(letters) == {
        "minji@reader.example",
        "jun@reader.example",
        "noah@reader.example",
    }
    jun = letters["jun@reader.example"].get_body(("plain",))
    assert jun is not None
    assert "연구 돌" in jun.get_content()
    assert "느린 편지" not in jun.get_content()
    rows = site.run("deliveries", "list", "--json").rows
    assert {row["message_id"] for row in rows} == {
        m["Message-ID"] for m in letters.values()
    }
    assert set(rows[0]) == {
        "edition",
        "email",
        "state",
        "paused",
        "attempts",
        "message_id",
        "retry_at",
        "updated_at",
        "reply",
    }


def test_a_second_run_does_nothing_and_says_nothing(site: Site) -> None:
    """Cron mails what a command prints: silence means that all is well."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "immediate")
    site.essay("2026-11-23", "느린 편지")
    site.publish(MONDAY)
    before = {path: path.stat().st_mtime_ns for path in site.root.rglob("*.*")}
    second = site.run("publish", "--now", MONDAY)
    assert (second.out, second.err) == ("", "")
    third = site.publish(MONDAY)
    assert third["files"]["written"] == 0
    assert third["editions"] == []
    assert third["deliveries"] == {}
    assert len(site.outbox()) == 1
    kept = ("public", "outbox", "posts")
    for path, changed in before.items():
        if path.relative_to(site.root).parts[0] in kept:
            assert path.stat().st_mtime_ns == changed, path


def test_the_first_run_mails_nobody_unless_told_to(tmp_path: Path) -> None:
    """An archive that is new to postroom is not new to its readers."""
    for words, sent in [((), 0), (("--yes",), 1)]:
        site = make_site(tmp_path / f"site{sent}")
        site.subscribe("minji@reader.example", "--cadence", "weekly")
        site.essay("2026-11-20", "최근 글")
        site.essay("2024-01-02", "오래된 글")
        site.publish(MONDAY, *words)
        assert len(site.outbox()) == sent
        site.publish(NEXT_MONDAY)
        assert len(site.outbox()) == sent
        for message in site.outbox():
            text = message.get_body(("plain",))
            assert text is not None
            assert "최근 글" in text.get_content()
            assert "오래된" not in text.get_content()


def test_an_old_or_a_large_heap_of_posts_is_not_mailed_by_itself(site: Site) -> None:
    """max_age and max_new; `--yes` lets the heap go, in one letter."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "weekly")
    site.essay("2026-10-01", "늦게 옮긴 글")
    site.publish(MONDAY)
    assert site.outbox() == []
    for day in range(10, 22):
        site.essay(f"2026-11-{day}", f"글 {day}")
    held = site.run("publish", "--now", MONDAY, code=1)
    assert "max_new" in held.err
    assert "--yes" in held.err
    assert site.run("publish", "--now", NEXT_MONDAY).err == ""
    assert site.outbox() == []
    site.run("posts", "hold", "2026-11-10-글-10.md")
    report = site.publish("2026-12-07T09:00:00+09:00", "--yes")
    assert [edition["posts"] for edition in report["editions"]] == [11]
    assert len(site.outbox()) == 1


def test_a_post_reaches_a_reader_once_whatever_rhythm_they_choose(site: Site) -> None:
    """Missed slots become one edition; a changed rhythm repeats nothing."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "daily")
    site.essay("2026-11-23", "하나")
    site.publish(TUESDAY)
    assert len(site.outbox()) == 1
    site.run("subscribers", "set", "minji@reader.example", "--cadence", "weekly")
    site.publish(NEXT_MONDAY)
    assert len(site.outbox()) == 1
    site.essay("2026-12-01", "둘")
    site.essay("2026-12-09", "셋")
    report = site.publish("2026-12-21T08:01:00+09:00")
    assert [(e["posts"], e["audience"]) for e in report["editions"]] == [(2, 1)]
    assert len(site.outbox()) == 2


def test_an_empty_slot_passes(site: Site) -> None:
    """A post written on Monday noon waits for the next Monday."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "weekly")
    site.publish(MONDAY)
    site.essay("2026-11-23", "월요일 낮")
    assert site.publish("2026-11-23T12:00:00+09:00")["editions"] == []
    assert site.publish(NEXT_MONDAY)["editions"][0]["key"].startswith("weekly-20261130")


def test_only_the_confirmed_are_mailed(site: Site) -> None:
    """Pending, unsubscribed and erased people get nothing; a new one no old posts."""
    started(site)
    site.run("subscribers", "add", "pending@reader.example")
    for name in ("left", "gone", "stays"):
        site.subscribe(f"{name}@reader.example")
    site.run("subscribers", "set", "left@reader.example", "--consent", "unsubscribed")
    site.run("subscribers", "erase", "gone@reader.example")
    site.essay("2026-11-23", "느린 편지")
    site.run("publish", "--no-mail", "--now", MONDAY)
    site.publish(MONDAY)
    site.subscribe("new@reader.example")
    site.publish(NEXT_MONDAY)
    assert [m["To"].addresses[0].addr_spec for m in site.outbox()] == [
        "stays@reader.example"
    ]


def test_letters_go_to_a_real_relay_and_its_words_are_kept(
    tmp_path: Path, relay: Relay
) -> None:
    """Accepted, refused for good, and refused for now; the last is tried again."""
    site = make_site(tmp_path / "site", smtp_settings(relay.port))
    started(site)
    for name in ("minji", "gone", "later"):
        site.subscribe(f"{name}@reader.example")
    site.essay("2026-11-23", "느린 편지")
    report = site.publish(MONDAY, code=1)
    assert report["deliveries"] == {"accepted": 1, "failed": 1, "deferred": 1}
    assert site.ledger() == {
        "minji@reader.example": "accepted",
        "gone@reader.example": "failed",
        "later@reader.example": "deferred",
    }
    consents = {
        s["email"]: s["consent"] for s in site.run("subscribers", "list", "--json").rows
    }
    assert consents["gone@reader.example"] == "suppressed"
    assert consents["later@reader.example"] == "confirmed"
    reverse_path, recipient, data = relay.received[0]
    assert (reverse_path, recipient) == ("letters@blog.example", "minji@reader.example")
    message = message_from_bytes(data, policy=policy.default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Subject"]
    assert site.publish(MONDAY)["deliveries"] == {"deferred": 1}
    site.publish("2026-11-23T10:00:00+09:00")
    assert len(relay.received) == 1
    expired = site.run("publish", "--now", "2026-11-27T08:00:00+09:00", code=1)
    assert "expired" in expired.err
    assert site.ledger()["later@reader.example"] == "expired"


def test_a_relay_that_is_away_costs_nothing(tmp_path: Path) -> None:
    """Exit 75, nobody marked; the next run with the relay back sends all."""
    port = free_port()
    site = make_site(tmp_path / "site", smtp_settings(port))
    started(site)
    site.subscribe("minji@reader.example")
    site.essay("2026-11-23", "느린 편지")
    away = site.run("publish", "--now", MONDAY, code=75)
    assert "127.0.0.1" in away.err
    assert site.ledger() == {"minji@reader.example": "queued"}
    with running(Relay()) as back:
        path = site.root / "postroom.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(str(port), str(back.port)), encoding="utf-8")
        site.publish("2026-11-23T08:10:00+09:00")
        assert [recipient for _, recipient, _ in back.received] == [
            "minji@reader.example"
        ]


@pytest.mark.skipif(
    not shutil.which("smtp-sink", path="/usr/sbin"), reason="no smtp-sink"
)
def test_postfix_takes_every_letter(tmp_path: Path) -> None:
    """smtp-sink keeps what it was given, one file a message."""
    sink = tmp_path / "sink"
    sink.mkdir()
    port = free_port()
    command = [
        "/usr/sbin/smtp-sink",
        "-u",
        "root",
        "-d",
        f"{sink}/%M.",
        f"127.0.0.1:{port}",
        "100",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            site = make_site(tmp_path / "site", smtp_settings(port))
            started(site)
            rows = "".join(f"reader{n}@reader.example,confirmed\n" for n in range(50))
            table = site.root / "readers.csv"
            table.write_text("email,consent\n" + rows, encoding="utf-8")
            site.run("subscribers", "import", str(table))
            site.essay("2026-11-23", "느린 편지")
            assert site.publish(MONDAY)["deliveries"] == {"accepted": 50}
        finally:
            server.terminate()
    kept = [path.read_text(encoding="utf-8") for path in sink.iterdir()]
    for number in range(50):
        assert sum(f"<reader{number}@reader.example>" in text for text in kept) == 1


def test_two_at_once(site: Site) -> None:
    """One works, the other exits 75 without a word."""
    site.essay("2026-11-22", "글")
    site.run("build")
    holder = (
        "import sys, fcntl; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(site.root / "state/lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        turned_away = site.run("publish", code=75)
        other.kill()
    assert (turned_away.out, turned_away.err) == ("", "")
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "postroom", "-C", str(site.root), "publish"],
            stderr=subprocess.PIPE,
        )
        for _ in range(5)
    ]
    assert {run.wait(60) for run in runs} <= {0, 75}
    for run in runs:
        assert run.stderr is not None
        assert run.stderr.read() == b""
        run.stderr.close()


@pytest.mark.parametrize("lost", ["postroom.db", "postroom.db*"])
def test_a_lost_ledger_is_never_made_anew(site: Site, lost: str) -> None:
    """An empty ledger would mail everyone again."""
    started(site)
    site.subscribe("minji@reader.example")
    site.essay("2026-11-23", "느린 편지")
    site.publish(MONDAY)
    for path in (site.root / "state").glob(lost):
        path.unlink()
    stopped = site.run("publish", "--now", NEXT_MONDAY, code=2)
    assert "postroom.db" in stopped.err
    assert not (site.root / "state/postroom.db").exists()
    assert len(site.outbox()) == 1


def test_a_ledger_from_a_copy_is_refused(site: Site) -> None:
    """It does not know what was sent since; the operator may accept that."""
    started(site)
    site.subscribe("minji@reader.example")
    shutil.copytree(site.root / "state", site.root / "copy")
    site.essay("2026-11-23", "느린 편지")
    site.publish(MONDAY)
    for path in (site.root / "state").glob("postroom.db*"):
        if not path.name.endswith(".seal"):
            path.unlink()
    for path in (site.root / "copy").glob("postroom.db*"):
        if not path.name.endswith(".seal"):
            shutil.copy(path, site.root / "state")
    stopped = site.run("publish", "--now", NEXT_MONDAY, code=2)
    assert "--accept-rollback" in stopped.err
    site.publish(NEXT_MONDAY, "--accept-rollback")


def test_a_damaged_ledger_sends_nothing(site: Site) -> None:
    """The integrity check comes before the first message."""
    started(site)
    site.subscribe("minji@reader.example")
    site.essay("2026-11-23", "느린 편지")
    database = site.root / "state/postroom.db"
    data = bytearray(database.read_bytes())
    data[4096 * 3 : 4096 * 3 + 3000] = b"\xff" * 3000
    database.write_bytes(data)
    stopped = site.run("publish", "--now", MONDAY, code=2)
    assert "damaged" in stopped.err
    assert site.outbox() == []


def test_a_dry_run_changes_nothing(site: Site) -> None:
    """It tells what would be written and to whom, and leaves every file as it was."""
    started(site)
    site.subscribe("minji@reader.example")
    site.essay("2026-11-23", "느린 편지")

    def contents() -> dict[Path, bytes]:
        # Reading a WAL database makes its -shm and -wal files, and changes nothing.
        files = (path for path in site.root.rglob("*") if path.is_file())
        return {
            p: p.read_bytes() for p in files if not p.name.endswith(("-shm", "-wal"))
        }

    before = contents()
    report = site.publish(MONDAY, "--dry-run")
    assert report["files"]["written"] > 0
    assert report["editions"][0]["audience"] == 1
    assert report["deliveries"] == {"queued": 1}
    assert contents() == before
    assert site.publish(MONDAY)["editions"] == report["editions"]


def test_plan_shows_what_publish_will_do(site: Site) -> None:
    """Slots, posts and recipients; scheduled posts are in it."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "weekly")
    site.essay("2026-11-23", "느린 편지")
    site.essay("2026-12-01", "예약한 글")
    rows = site.run("plan", "--json", "--now", "2026-11-24T00:00:00+09:00").rows
    weekly = [row for row in rows if row["cadence"] == "weekly"]
    assert weekly[0]["posts"] == ["2026-11-23-느린-편지.md"]
    assert weekly[0]["audience"] == 1
    assert weekly[1]["posts"] == ["2026-12-01-예약한-글.md"]
    text = site.run("plan", "--now", "2026-11-24T00:00:00+09:00").out
    assert "느린-편지" in text


def test_a_post_that_broke_before_its_slot_is_mailed_once_mended(site: Site) -> None:
    """Marks do not pass it, so nobody is skipped; what came after it waits with it."""
    started(site)
    site.subscribe("minji@reader.example", "--cadence", "weekly")
    site.publish(MONDAY)
    post = site.essay("2026-11-23", "느린 편지")
    good = post.read_text(encoding="utf-8")
    site.publish("2026-11-23T09:30:00+09:00")
    post.write_text("---\ntitle: [\n---\n", encoding="utf-8")
    site.publish(NEXT_MONDAY, code=1)
    assert site.outbox() == []
    post.write_text(good, encoding="utf-8")
    site.publish("2026-12-07T08:05:00+09:00")
    assert len(site.outbox()) == 1
