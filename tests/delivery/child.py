"""Forks a run for each line it reads, until one comes to its end; run as a module.

Everything is imported once. A run says `began PID`, and may then be killed; `ended CODE`
says how it ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postroom.smtp.outbox import OutboxTransport
from postroom.store.values import UnknownPolicy
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
        os.write(1, b"began %d\n" % os.getpid())
        delivered = run_of(store, transport, policy=UnknownPolicy(policy))
        if delivered.fault:
            raise delivered.fault


def serve(*arguments: str) -> None:
    """Fork runs as long as someone asks for them."""
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            work(*arguments)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        os.write(1, b"ended %d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve(*sys.argv[1:])
