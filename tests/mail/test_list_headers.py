"""The fields of a list: what lets a reader leave, and a filter know the list."""

from __future__ import annotations

import pytest

from postroom.errors import MessageUnsafeError
from postroom.mail.list_headers import list_field_names, list_fields

LEAVE = "https://blog.example/unsubscribe/token"


def fields(
    site_url: str = "https://blog.example/",
    leave: str = LEAVE,
    *,
    title: str = "Slow Letters",
    mailto: str = "",
) -> dict[str, str]:
    """The fields by name."""
    return dict(list_fields(title, site_url, leave, mailto=mailto))


@pytest.mark.parametrize(
    ("url", "list_id"),
    [
        ("https://blog.example/", "posts.blog.example"),
        ("https://blog.example:8443/", "posts.blog.example"),
        ("https://example.org/~mina/log/", "posts.log.mina.example.org"),
        ("https://한국.example/", "posts.xn--3e0b707e.example"),
        ("http://127.0.0.1:8000/", "posts.127.0.0.1"),
        ("http://[::1]:8000/", "posts.1"),
    ],
)
def test_the_list_id_comes_from_the_address_of_the_site(url: str, list_id: str) -> None:
    """A dot-atom (RFC 2919 §3) that differs for every site of a host."""
    assert fields(url)["List-Id"] == f"Slow Letters <{list_id}>"


def test_the_title_is_the_phrase_of_the_list_id() -> None:
    """Encoded or quoted where it has to be, on one line."""
    assert fields(title="a, b")["List-Id"] == '"a, b" <posts.blog.example>'
    korean = fields(title="느린 우편함" * 9)["List-Id"]
    assert korean.startswith("=?utf-8?b?")
    assert "\n" not in korean


def test_names_match_the_fields() -> None:
    """One click only where RFC 8058 allows it."""
    assert tuple(fields()) == list_field_names(one_click=True)
    local = fields(leave="http://127.0.0.1/unsubscribe/token")
    assert tuple(local) == list_field_names(one_click=False)
    assert local["List-Unsubscribe"] == "<http://127.0.0.1/unsubscribe/token>"


def test_leaving_by_mail_is_offered_when_somebody_reads_it() -> None:
    """RFC 2369 §3.2: several addresses, the preferred first; RFC 6068 escapes."""
    value = fields(mailto="a&b?c@blog.example")["List-Unsubscribe"]
    assert value == f"<{LEAVE}>, <mailto:a%26b%3Fc@blog.example?subject=unsubscribe>"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//blog.example/", "", "https://a b/", "https://[/"]
)
def test_a_link_that_is_none_is_refused(url: str) -> None:
    """A letter without its link must not leave."""
    with pytest.raises(MessageUnsafeError, match="no address"):
        fields(leave=url)


def test_links_are_ascii_and_stay_inside_their_brackets() -> None:
    """Percent-encoded once, never twice."""
    value = fields("https://blog.example/글/%41> x/")["List-Archive"]
    assert value == "<https://blog.example/%EA%B8%80/%41%3E%20x/archive/>"
