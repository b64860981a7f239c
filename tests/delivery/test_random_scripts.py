"""Whatever a server does to whom, the books balance and nobody gets a letter twice."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.outcome import DeliveryState
from postroom.store.values import Durability, UnknownPolicy
from tests.delivery.run_of import addresses, letters_to, relay, run_of
from tests.fault_server import FaultServer, serving
from tests.store.scenes import NOW, open_new

if TYPE_CHECKING:
    from postroom.store.base import Store

STEPS = st.sampled_from(
    [
        "rcpt.450-4.2.1",
        "rcpt.550-5.1.1",
        "rcpt.421-4.7.0",
        "rcpt.grey",
        "rcpt.drop",
        "data.451-4.3.0",
        "data.421-4.3.2",
        "data.drop",
        "dot.451-4.3.0",
        "dot.451-4.7.1",
        "dot.552-5.2.2",
        "dot.421-4.3.2",
        "dot.drop",
        "dot.taken",
        "dot.half",
        "dot.garbage",
        "dot.twice",
    ]
)
MOODS = st.fixed_dictionaries(
    {},
    optional={
        "BANNER": st.lists(st.sampled_from(["421-4.3.2", "drop", "garbage"])),
        "EHLO": st.lists(st.sampled_from(["421-4.3.2", "drop"])),
        "MAIL": st.lists(st.sampled_from(["421-4.3.2", "451-4.3.0", "drop"])),
        "RSET": st.lists(st.sampled_from(["421-4.3.2", "drop"])),
    },
)
"""What befalls whoever comes next, a few times."""
ENDED = {DeliveryState.ACCEPTED, DeliveryState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a server, and the site that sends to it, behave."""

    faults: list[str]
    good: int
    moods: dict[str, list[str]] = field(default_factory=dict)
    pipelining: bool
    limit: int
    connections: int
    policy: UnknownPolicy
    durability: Durability

    def patience(self) -> int:
        """Runs until nobody is held up: each deals with two over whom it breaks off."""
        return 3 + len(self.faults) // 2

    def readers(self) -> list[str]:
        """Those with a fault between those without."""
        bad = [
            f"f.{fault}.{number}@mail.example"
            for number, fault in enumerate(self.faults)
        ]
        return sorted([*bad, *addresses(self.good)], key=lambda email: email[::-1])


SCRIPTS = st.builds(
    Script,
    faults=st.lists(STEPS, max_size=12),
    good=st.integers(0, 20),
    moods=MOODS,
    pipelining=st.booleans(),
    limit=st.sampled_from([0, 0, 1, 2]),
    connections=st.integers(1, 6),
    policy=st.sampled_from(UnknownPolicy),
    durability=st.sampled_from(Durability),
)


def runs(store: Store, server: FaultServer, script: Script, *, count: int) -> None:
    """So many runs, an hour between them; each ends within bounds."""
    for hour in range(count):
        now = NOW + timedelta(hours=hour)
        began = time.monotonic()
        run_of(
            store,
            relay(server.port, connections=script.connections),
            policy=script.policy,
            durability=script.durability,
            clock=lambda now=now: now,
            back_off=(0.0,) * 4,
        )
        assert time.monotonic() - began < 10


@given(script=SCRIPTS)
def test_accepted_means_taken_and_once(script: Script) -> None:
    """Nothing is unaccounted for, in any run; doubt alone makes for second copies."""
    readers = script.readers()
    server = FaultServer(
        pipelining=script.pipelining,
        limit=script.limit,
        faults={verb: list(faults) for verb, faults in script.moods.items()},
    )
    with (
        TemporaryDirectory() as folder,
        open_new(Path(folder) / "state" / "postroom.db") as store,
        serving(server),
    ):
        letters_to(store, *readers)
        runs(store, server, script, count=script.patience())
        states = {row.email: row.state for row in store.deliveries()}
    taken = Counter(server.taken)
    assert sorted(states) == sorted(readers)
    for email, state in states.items():
        resent = script.policy is UnknownPolicy.RESEND and ".dot." in email
        assert taken[email] <= 1 + resent
        if state is DeliveryState.ACCEPTED:
            assert taken[email] >= 1
        elif state is not DeliveryState.UNKNOWN and ".dot." not in email:
            assert taken[email] == 0
        if not email.startswith("f.") and not script.moods:
            assert state is DeliveryState.ACCEPTED
        assert state in ENDED or email.startswith("f.") or script.moods
