"""`subscribers`: one by one and as tables, with every refusal named."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stage import Site


def listed(site: Site) -> dict[str, dict[str, object]]:
    """Every subscriber by address."""
    return {row["email"]: row for row in site.run("subscribers", "list", "--json").rows}


def test_one_is_added_and_changed(site: Site) -> None:
    """What is not named stays as it is."""
    site.run(
        "subscribers", "add", "Kim@Reader.Example", "--cadence", "weekly", "--topic", "연구",
        "--language", "ko", "--confirmed",
    )  # fmt: skip
    site.run("subscribers", "set", "kim@reader.example", "--cadence", "daily")
    assert listed(site) == {
        "Kim@reader.example": {
            "email": "Kim@reader.example",
            "consent": "confirmed",
            "cadence": "daily",
            "topics": ["연구"],
            "language": "ko",
            "mark": 0,
        }
    }
    site.run("subscribers", "set", "kim@reader.example", "--topic", "")
    assert listed(site)["Kim@reader.example"]["topics"] == []


def test_without_consent_one_is_pending(site: Site) -> None:
    """And has the default rhythm."""
    site.run("subscribers", "add", "kim@reader.example")
    row = listed(site)["kim@reader.example"]
    assert (row["consent"], row["cadence"]) == ("pending", "weekly")


@pytest.mark.parametrize(
    "address",
    [
        "kim", "kim@", "kim@gmail", "a@b.example\r\nRCPT TO:<x@y.example>", "a\x01@b.example",
        '"a\r\nb"@x.example', "a@[127.0.0.1]", "a b@x.example", "x" * 65 + "@b.example",
        "a@b.example\n", "a\u202e@b.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(site: Site, address: str) -> None:
    """With exit code 2 and nothing stored."""
    site.run("subscribers", "add", address, "--confirmed", code=2)
    assert listed(site) == {}


def test_an_unknown_one_cannot_be_changed(site: Site) -> None:
    """A typing error must not make a new subscriber."""
    said = site.run(
        "subscribers", "set", "kim@reader.example", "--cadence", "daily", code=2
    )
    assert "no such subscriber" in said.err
    site.run("subscribers", "erase", "kim@reader.example", code=2)


def test_a_table_changes_what_its_rows_name(site: Site) -> None:
    """Bad rows are named with their line, the others count."""
    site.subscribe("kim@reader.example", "--cadence", "daily", "--topic", "연구")
    table = site.root / "readers.csv"
    table.write_bytes(
        "email,name,consent,cadence\n"
        "kim@reader.example,김,,monthly\n"
        "not an address,x,,\n"
        "lee@reader.example,이,confirmed,weekly\n"
        "choi@reader.example,최,,hourly\n".encode("cp949")
    )
    tried = site.run("subscribers", "import", str(table), "--dry-run", "--json", code=1)
    assert tried.json["added"] == 1
    assert len(listed(site)) == 1
    ran = site.run("subscribers", "import", str(table), "--json", code=1)
    assert (ran.json["added"], ran.json["changed"]) == (1, 1)
    assert [problem["line"] for problem in ran.json["problems"]] == [3, 5]
    rows = listed(site)
    assert rows["kim@reader.example"]["cadence"] == "monthly"
    assert rows["kim@reader.example"]["topics"] == ["연구"]
    assert rows["kim@reader.example"]["consent"] == "confirmed"


def test_who_left_is_not_brought_back_by_a_table(site: Site) -> None:
    """Neither the unsubscribed nor the erased, whatever the file says; by hand, yes."""
    for name in ("left", "gone"):
        site.subscribe(f"{name}@reader.example")
    site.run("subscribers", "set", "left@reader.example", "--consent", "unsubscribed")
    site.run("subscribers", "erase", "gone@reader.example")
    table = site.root / "readers.csv"
    table.write_text(
        "email\nleft@reader.example\ngone@reader.example\n", encoding="utf-8"
    )
    ran = site.run("subscribers", "import", str(table), "--confirmed", "--json")
    assert sorted(ran.json["suppressed"]) == [
        "gone@reader.example",
        "left@reader.example",
    ]
    assert listed(site)["left@reader.example"]["consent"] == "unsubscribed"
    site.subscribe("left@reader.example")
    assert listed(site)["left@reader.example"]["consent"] == "confirmed"


def test_an_export_comes_back_and_runs_no_formula(site: Site) -> None:
    """A name like `=cmd` is guarded, and is itself again after the import."""
    site.subscribe("kim@reader.example", "--name", "=HYPERLINK(1)", "--topic", "a,b")
    text = site.run("subscribers", "export").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["name"] == "'=HYPERLINK(1)"
    path = site.root / "all.csv"
    site.run("subscribers", "export", str(path))
    assert path.read_text(encoding="utf-8") == text
    site.run("subscribers", "erase", "kim@reader.example")
    site.run("subscribers", "add", "kim@reader.example")
    site.run("subscribers", "import", str(path))
    assert site.run("subscribers", "export").out == text


def test_a_missing_table_is_named(site: Site) -> None:
    """Not a traceback."""
    assert "nowhere.csv" in site.run("subscribers", "import", "nowhere.csv", code=2).err
