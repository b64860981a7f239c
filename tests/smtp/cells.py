"""The fault matrix: what goes wrong where, and what must become of the letter."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from postroom.mail.outcome import DeliveryState, Phase

every_connection = pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
either_way = pytest.mark.parametrize("pipelining", [True, False])

ACCEPTED, DEFERRED, FAILED, QUEUED, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
)
MAIL, RCPT, DATA, DOT = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT

QUIET = {"hang", "silent", "drip", "tardy", "deaf", "giant", "mute"}
"""Faults that only a time limit ends (a giant reply: only if it is let through)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a step, and the outcome of the letter it befalls."""

    step: str
    fault: str
    state: DeliveryState
    phase: Phase
    suppress: bool = False
    stops: bool = False
    """Whether the relay refuses us, so that no letter after it is tried."""
    beside: DeliveryState = ACCEPTED
    """The letter before it, where both were under way at once: a reply that is left
    out could be its verdict."""

    alone: Phase | None = None
    """The phase where each command waits for its reply, if that is another one."""

    def __str__(self) -> str:
        return f"{self.step}-{self.fault}"


# -- what a server says: the reply alone decides, whatever the connection is ----------

REPLIES = [
    *(Cell("mail", code, QUEUED, MAIL) for code in ("421-4.3.2", "421", "450-4.1.8")),
    *(Cell("mail", code, QUEUED, MAIL) for code in ("451-4.3.0", "452-4.3.1")),
    *(Cell("mail", code, QUEUED, MAIL) for code in ("454-4.7.0", "451-4.7.0")),
    *(
        Cell("mail", code, QUEUED, MAIL, stops=True)
        for code in ("530-5.7.0", "535-5.7.8", "550-5.7.1", "552-5.3.4", "553-5.1.8")
    ),
    *(
        Cell("mail", code, QUEUED, MAIL, stops=True)
        for code in ("554-5.7.1", "555-5.5.4", "550-5.1.1", "550-5.6.7")
    ),
    *(
        Cell("rcpt", code, FAILED, RCPT, suppress=True)
        for code in ("550-5.1.1", "550-5.1.2", "553-5.1.3", "501-5.1.3", "551-5.1.6")
    ),
    *(
        Cell("rcpt", code, FAILED, RCPT, suppress=True)
        for code in ("556-5.1.10", "550-5.1.10", "556")
    ),
    *(
        Cell("rcpt", code, FAILED, RCPT)
        for code in ("550", "551", "553", "554", "552-5.2.2", "550-5.2.1", "551-5.1.9")
    ),
    *(
        Cell("rcpt", code, FAILED, RCPT)
        for code in ("550-5.7.1", "550-5.7.26", "554-5.7.1", "556-5.7.27", "553-5.7.1")
    ),
    *(
        Cell("rcpt", code, DEFERRED, RCPT)
        for code in ("450-4.2.1", "451-4.7.1", "450-4.2.0", "452-4.2.2", "452", "450")
    ),
    *(
        Cell("rcpt", code, QUEUED, RCPT)
        for code in ("421-4.3.2", "421-4.7.28", "454-4.7.0", "451-4.7.0", "450-4.7.28")
    ),
    *(Cell("rcpt", code, QUEUED, RCPT) for code in ("452-4.5.3", "503-5.5.1", "454")),
    *(Cell("rcpt", code, QUEUED, RCPT, stops=True) for code in ("530-5.7.0", "535")),
    *(Cell("rcpt", code, ACCEPTED, DOT) for code in ("250-2.1.5", "251", "252")),
    *(Cell("data", code, DEFERRED, DATA) for code in ("451-4.3.0", "452-4.3.1", "450")),
    *(Cell("data", code, QUEUED, DATA) for code in ("421-4.3.2", "503-5.5.1")),
    *(Cell("data", code, QUEUED, DATA) for code in ("250", "250-2.0.0", "454-4.7.0")),
    *(
        Cell("data", code, FAILED, DATA)
        for code in ("554-5.7.1", "550-5.1.1", "554-5.5.1")
    ),
    Cell("data", "530-5.7.0", QUEUED, DATA, stops=True),
    *(Cell("dot", code, ACCEPTED, DOT) for code in ("250", "250-2.6.0", "251", "252")),
    *(
        Cell("dot", code, DEFERRED, DOT)
        for code in ("421-4.3.2", "421", "451-4.3.0", "452-4.3.1", "450-4.7.28", "454")
    ),
    *(
        Cell("dot", code, FAILED, DOT)
        for code in ("550-5.1.1", "552-5.3.4", "552-5.2.2", "554-5.7.1", "554", "530")
    ),
    *(Cell("dot", code, UNKNOWN, DOT) for code in ("354", "354-2.0.0", "399", "150")),
]

# -- what happens on the wire: under every kind of connection -------------------------

BEFORE_THE_DOT = ("drop", "half", "garbage", "html", "binary", "torn", "mixed", "lf")
WIRE = [
    *(
        Cell(step, fault, QUEUED, phase)
        for step, phase in (("mail", MAIL), ("rcpt", RCPT), ("data", DATA))
        for fault in (*BEFORE_THE_DOT, "endless", "hang", "drip", "giant", "lines")
    ),
    *(
        Cell(step, fault, QUEUED, phase)
        for step, phase in (("mail", RCPT), ("rcpt", DATA))
        for fault in ("after", "bye")
    ),
    *(
        Cell("data", fault, QUEUED, DATA)
        for fault in ("bye", "early", "flood", "silent", "twice")
    ),
    *(Cell("mail", fault, QUEUED, DATA, alone=RCPT) for fault in ("twice", "flood")),
    *(Cell("rcpt", fault, QUEUED, DATA) for fault in ("twice", "flood")),
    Cell("mail", "silent", QUEUED, DATA, alone=MAIL, beside=UNKNOWN),
    Cell("rcpt", "silent", QUEUED, DATA, alone=RCPT, beside=UNKNOWN),
    *(Cell("mail", fault, ACCEPTED, DOT) for fault in ("late",)),
    *(Cell(step, "late", ACCEPTED, DOT) for step in ("rcpt", "data", "dot")),
    *(
        Cell("dot", fault, UNKNOWN, DOT)
        for fault in (*BEFORE_THE_DOT, "taken", "endless", "silent", "hang", "tardy")
    ),
    *(Cell("dot", fault, UNKNOWN, DOT) for fault in ("drip", "giant", "lines", "deaf")),
    *(
        Cell("dot", fault, ACCEPTED, DOT)
        for fault in ("twice", "flood", "after", "bye")
    ),
]
