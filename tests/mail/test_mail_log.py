"""A Postfix log proves what the relay did, and nothing it does not prove is taken as proof.

The logs in `logs/` are real: Postfix 3.7.11, one message for each thing that can happen.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.mail_log import RECENT, Proof, parse_mail_log
from postroom.mail.outcome import TEXT_LIMIT, DeliveryState

LOGS = Path(__file__).parent / "logs"
HOST = "Nov 24 23:30:58 relay postfix"
ID = "<x@blog.example>"


def read(name: str) -> list[str]:
    """The lines of a log."""
    return (LOGS / name).read_text(encoding="utf-8").splitlines(keepends=True)


def message_ids(lines: list[str]) -> set[str]:
    """Every Message-ID that a log names."""
    return set(re.findall(r"message-id=(<[^>]*>)", "".join(lines)))


def states(proofs: dict[str, Proof]) -> dict[str, str]:
    """The first word of each Message-ID, and what is proved of it."""
    return {
        key[1:].partition("@")[0]: str(proof.state) for key, proof in proofs.items()
    }


def test_a_real_log_proves_what_the_relay_answered() -> None:
    """What got its 250 and went on is accepted, what was refused is not.

    `early` was refused before Postfix named its Message-ID; `discard` and `hold` were
    taken, but nothing after the dot says so; of `cut` only a half arrived.
    """
    lines = read("postfix-long-ids.log")
    wanted = message_ids(lines) | {"<early@blog.example>"}
    proofs = parse_mail_log(lines, wanted)
    assert states(proofs) == {
        "accepted1": "accepted",
        "accepted2": "accepted",
        "late": "failed",
        "soft": "queued",
        "dot5": "failed",
        "dot4": "queued",
        "away": "accepted",
    }
    assert proofs["<accepted1@blog.example>"] == Proof(
        DeliveryState.ACCEPTED,
        "4jYzZp63WdzJJ5t",
        "from=<letters@blog.example>, size=333, nrcpt=1 (queue active)",
    )
    assert "5.7.1 nor this" in proofs["<late@blog.example>"].words
    assert proofs["<dot5@blog.example>"].words.startswith("reject: END-OF-MESSAGE")


def test_short_queue_ids_prove_the_same() -> None:
    """Of an older Postfix, or one that was never told to make long ones."""
    lines = read("postfix-short-ids.log")
    assert states(parse_mail_log(lines, message_ids(lines))) == {
        "first-refused": "failed",
        "first-taken": "accepted",
        "second-taken": "accepted",
        "second-refused": "failed",
        "deferred-inside": "accepted",
    }


def test_only_what_is_asked_for_is_answered() -> None:
    """Other people's mail is in the log too."""
    lines = read("postfix-long-ids.log")
    only = parse_mail_log(lines, {"<late@blog.example>", "<never@blog.example>"})
    assert states(only) == {"late": "failed"}
    assert parse_mail_log(lines, set()) == {}


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-24T23:30:58.123456+09:00 relay",
        "2026-11-24T23:30:58+0900 relay",
        "Nov  4 03:00:01 mail.blog.example",
        "<22>Nov  4 03:00:01 relay",
    ],
)
def test_the_stamp_does_not_matter(stamp: str) -> None:
    """Traditional or RFC 3339, as syslog, journald and Postfix's own logger write it."""
    lines = read("postfix-long-ids.log")
    changed = [line.replace("Nov 24 23:30:58 relay", stamp) for line in lines]
    wanted = message_ids(lines)
    assert parse_mail_log(changed, wanted) == parse_mail_log(lines, wanted)


def lines_of(*said: tuple[str, str]) -> list[str]:
    """Lines of a log: (daemon, what it says)."""
    return [f"{HOST}/{daemon}[9]: {words}\n" for daemon, words in said]


def prove(*said: tuple[str, str]) -> Proof | None:
    """What these lines prove of the one message `ID`."""
    return parse_mail_log(lines_of(*said), {ID}).get(ID)


BIND = ("cleanup", f"4AB01: message-id={ID}")
QUEUED = ("qmgr", "4AB01: from=<a@blog.example>, size=9, nrcpt=1 (queue active)")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (QUEUED, "accepted"),
        (("qmgr", "4AB01: removed"), "accepted"),
        (("nqmgr", "4AB01: from=<>, status=expired, returned to sender"), "accepted"),
        (("smtp", "4AB01: to=<b@c.example>, relay=none, status=bounced (no)"), "accepted"),
        (("relay/lmtp", "4AB01: to=<b@c.example>, relay=x, status=sent (ok)"), "accepted"),
        (("cleanup", "4AB01: milter-reject: END-OF-MESSAGE from h[::1]: 5.7.1 no; from=<a>"), "failed"),
        (("cleanup", "4AB01: milter-reject: END-OF-MESSAGE from h[::1]: 4.7.1 no; from=<a>"), "queued"),
        (("sub/smtpd", "4AB01: reject: END-OF-MESSAGE from h[1.2.3.4]: 552 5.3.4 big"), "failed"),
        (("cleanup", "4AB01: reject: body x: 4.1.1 from h[::1]; helo=<h>: 5.7.1 no"), "failed"),
        (("cleanup", "4AB01: warning: header Subject: a, status=sent from h[::1]"), None),
        (("cleanup", "4AB01: milter-discard: END-OF-MESSAGE from h[::1]: discarded"), None),
        (("cleanup", "4AB01: hold: header Subject: x from h[::1]; helo=<h>"), None),
        (("smtpd", "4AB01: reject: RCPT from h[::1]: 550 5.1.1 <b>: no; from=<a>"), None),
        (("bounce", "4AB01: sender non-delivery notification: 4AB02"), None),
        (("qmgr", "4AB02: from=<a@blog.example>, size=9, nrcpt=1 (queue active)"), None),
        (("qmgr", "warning: 4AB01: from=<a>, nothing"), None),
        (("smtp", f"4AB01: message-id={ID}"), None),
    ],
)  # fmt: skip
def test_each_kind_of_line(said: tuple[str, str], state: str | None) -> None:
    """After its Message-ID was named: taken, refused for good or for now, or no proof."""
    found = prove(BIND, said)
    assert (found and str(found.state)) == state


def test_a_name_alone_is_no_acceptance() -> None:
    """`cleanup` names the Message-ID before the dot."""
    assert prove(BIND) is None
    assert prove(QUEUED) is None


REFUSED = ("smtpd", "4AB01: reject: END-OF-MESSAGE from h[::1]: 554 5.7.1 no")
NEW = ("smtpd", "4AB01: client=h[::1]")


def test_a_queue_id_is_used_again() -> None:
    """What is said of the later message does not count for the earlier."""
    other = ("cleanup", "4AB01: message-id=<other@blog.example>")
    assert prove(BIND, NEW, other, QUEUED) is None
    assert prove(BIND, other, QUEUED) is None
    assert prove(BIND, NEW, QUEUED) is None
    assert prove(REFUSED, NEW, BIND) is None
    assert prove(NEW, REFUSED, other, BIND) is None


def test_a_refusal_may_come_before_the_name() -> None:
    """What smtpd answers is logged at once, what cleanup has read so far later."""
    found = prove(NEW, REFUSED, BIND)
    assert found is not None
    assert found.state is DeliveryState.FAILED
    many = [
        ("smtpd", f"{n:05X}: reject: END-OF-MESSAGE from h[::1]: 554 5.7.1 no")
        for n in range(RECENT)
    ]
    assert prove(REFUSED, *many, BIND) is None


AGAIN = ("cleanup", f"4AB02: message-id={ID}")
REFUSED_AGAIN = (
    "cleanup",
    "4AB02: milter-reject: END-OF-MESSAGE from h[::1]: 4.7.1 no;",
)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((BIND, QUEUED, AGAIN, REFUSED_AGAIN), "accepted"),
        ((BIND, AGAIN, REFUSED_AGAIN, QUEUED), "accepted"),
        ((BIND, REFUSED, AGAIN, REFUSED_AGAIN), "queued"),
        ((BIND, REFUSED, AGAIN), None),
        ((BIND, AGAIN, REFUSED), None),
    ],
)
def test_several_attempts(said: tuple[tuple[str, str], ...], state: str | None) -> None:
    """Accepted if any was; else the last decides, and what is open about it stays open."""
    found = prove(*said)
    assert (found and str(found.state)) == state


def test_words_are_bounded_and_clean() -> None:
    """They go into the ledger and onto terminals."""
    words = "4AB01: to=<b@c.example>, status=sent (\x1b[31m" + "x" * 2000 + ")"
    found = prove(BIND, ("smtp", words))
    assert found is not None
    assert "\x1b" not in found.words
    assert len(found.words) <= TEXT_LIMIT


SAID = st.sampled_from(
    ["4AB01: ", "4AB02: ", "message-id=", ID, "client=h[::1]", "from=<a>", "to=<b>",
     ", status=sent", "removed", "reject: END-OF-MESSAGE from h[::1]: 5", "]: ", "[", " "]
)  # fmt: skip
DAEMONS = st.sampled_from(["smtpd", "cleanup", "qmgr", "smtp", "", "/"])


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.tuples(DAEMONS, st.lists(SAID, max_size=6).map("".join)).map(
                lambda pair: f"{HOST}/{pair[0]}[9]: {pair[1]}"
            ),
        ),
        max_size=30,
    )
)
def test_no_line_is_too_odd(lines: list[str]) -> None:
    """Whatever a log holds, nothing raises; no proof without its name in the log."""
    proofs = parse_mail_log(lines, {ID})
    assert not proofs or any(f"message-id={ID}" in line for line in lines)
