"""A child process that works on a ledger until it is killed, and says what is durable.

Every line it writes names something whose method has returned: it must be in the
ledger, or in what the journal tells of it, whatever happens next. `left` is said once
the intent is on record: from there on the dot may be on the wire.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postroom.mail.outcome import DeliveryState
from postroom.store.values import Durability, Result, UnknownPolicy
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    message_id,
    number_posts,
    open_new,
    result,
    subscribe,
)

READERS_AT_ONCE = 40
CLAIMS_AT_ONCE = 7
RESTART_OCTETS = 4000
"""So often that a kill meets it."""


def say(*words: object) -> None:
    """One line, at once: the next instruction may be the last one."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def work(path: Path, name: str) -> None:
    """Subscribe, freeze, claim, intend, record, over and over."""
    with open_new(path) as store:
        run = store.begin_run(OWNER, NOW)
        say("began", run)
        store.recover(run, NOW, UnknownPolicy.HOLD)
        journal = store.open_journal(run, Durability.PROCESS)
        while True:
            number = store.facts().counter + 1
            subscribe(store, *(f"{name}-{number}-{i}" for i in range(READERS_AT_ONCE)))
            say("subscribed", f"{name}-{number}")
            number_posts(store, number)
            say("numbered", number)
            freeze(store, f"weekly-{number}", posts=(number,))
            say("froze", f"weekly-{number}")
            while claims := claim(store, run, CLAIMS_AT_ONCE):
                results: list[Result] = []
                for one in claims:
                    journal.write(results[-1:], [(one, message_id(one))])
                    say("left", f"{one.edition}/{one.email}")
                    results.append(
                        result(
                            one,
                            DeliveryState.ACCEPTED,
                            "ok",
                            message_id=message_id(one),
                        )
                    )
                journal.write(results[-1:], [])
                say("answered", *(f"{one.edition}/{one.email}" for one in claims))
                if journal.octets > RESTART_OCTETS:
                    journal.restart(results, [])
                store.record_results(results)
                say("accepted", *(f"{one.edition}/{one.email}" for one in claims))


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
