"""A child process that works on a ledger until it is killed, and says what is durable.

Every line it writes names something whose method has returned: it must be in the
ledger whatever happens next.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postroom.mail.outcome import DeliveryState
from postroom.store.base import UnknownPolicy
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    number_posts,
    open_new,
    result,
    subscribe,
)

READERS_AT_ONCE = 40
CLAIMS_AT_ONCE = 7


def say(*words: object) -> None:
    """One line, at once: the next instruction may be the last one."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def work(path: Path, name: str) -> None:
    """Subscribe, freeze, claim, intend, record, over and over."""
    with open_new(path) as store:
        run = store.begin_run(OWNER, NOW)
        store.recover(run, NOW, UnknownPolicy.HOLD)
        while True:
            number = store.facts().counter + 1
            subscribe(store, *(f"{name}-{number}-{i}" for i in range(READERS_AT_ONCE)))
            say("subscribed", f"{name}-{number}")
            number_posts(store, number)
            say("numbered", number)
            freeze(store, f"weekly-{number}", posts=(number,))
            say("froze", f"weekly-{number}")
            while claims := claim(store, run, CLAIMS_AT_ONCE):
                store.record_intents([(one, f"<{one.email}>") for one in claims])
                say("handing", *(f"{one.edition}/{one.email}" for one in claims))
                store.record_results(
                    [result(one, DeliveryState.ACCEPTED, "ok") for one in claims]
                )
                say("accepted", *(f"{one.edition}/{one.email}" for one in claims))


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
