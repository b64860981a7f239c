"""A child process that delivers until it is done or killed; run as a module."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postroom.smtp.outbox import OutboxTransport
from postroom.store.base import UnknownPolicy
from tests.delivery.run_of import relay, run_of
from tests.store.scenes import open_new


def work(ledger: str, target: str, policy: str) -> None:
    """One run; `target` is the port of a relay or the path of an outbox."""
    transport = (
        relay(int(target), connections=4)
        if target.isdecimal()
        else OutboxTransport(Path(target))
    )
    with open_new(Path(ledger)) as store:
        os.write(1, b"began\n")
        delivered = run_of(store, transport, policy=UnknownPolicy(policy))
        if delivered.fault:
            raise delivered.fault


if __name__ == "__main__":
    work(*sys.argv[1:])
