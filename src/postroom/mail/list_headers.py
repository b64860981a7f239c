"""Header fields that make a message a list's, and let its reader leave (RFC 2369, 2919, 8058)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from postroom.mail.characters import clean_line
from postroom.subscribers.token import sign_link

if TYPE_CHECKING:
    from postroom.subscribers.token import Keys, Purpose


def personal_link(base: str, purpose: Purpose, subscriber_id: int, keys: Keys) -> str:
    """The address at which one subscriber may do one thing without a login."""
    return f"{base}{purpose}/{sign_link(purpose, subscriber_id, keys)}"


def list_headers(site_url: str, unsubscribe: str) -> list[tuple[str, str]]:
    """Return List-Id, List-Unsubscribe and the rest, each on one line.

    List-Unsubscribe-Post only with an https link: RFC 8058 §3.1 wants one. The link
    stands unfolded, because some receivers do not unfold it.
    """
    host = host_of(urlsplit(site_url).hostname or "localhost")
    site = quote(site_url, safe=":/?#[]@!$&'()*+,;=%~")
    fields = [
        ("List-Id", f"<posts.{host}>"),
        ("List-Unsubscribe", f"<{clean_line(unsubscribe)}>"),
    ]
    if unsubscribe.startswith("https://"):
        fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return [
        *fields,
        ("List-Archive", f"<{site}archive/>"),
        ("List-Help", f"<{site}follow/>"),
    ]


def host_of(domain: str) -> str:
    """A domain in ASCII (RFC 5890), lower case; for identifiers, never looked up."""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.encode("ascii", "ignore").decode("ascii").lower() or "localhost"
