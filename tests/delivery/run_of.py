"""A delivery run on a real ledger to a real server, set up in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.config import SmtpConfig
from postroom.delivery.run import deliver
from postroom.delivery.settings import Delivered, DeliverySettings
from postroom.mail.message import Message
from postroom.smtp.client import SmtpTransport
from postroom.smtp.connect import Timeouts
from postroom.store.base import UnknownPolicy
from tests.store.scenes import NOW, OWNER

if TYPE_CHECKING:
    from postroom.delivery.settings import Compose, Progress
    from postroom.smtp.base import Transport
    from postroom.store.base import Claim, Store

FAST = Timeouts(step=2, open=4, command=0.5, data=0.5, verdict=0.5, quit=0.5)


def compose(claim: Claim) -> Message:
    """A small letter; what makes it unlike any other is its Message-ID."""
    return Message(
        reverse_path="letters@blog.example",
        recipient=claim.email,
        message_id=f"<{claim.edition}.{claim.subscriber_id}@blog.example>",
        data=f"To: {claim.email}\r\nSubject: x\r\n\r\ntext\r\n".encode(),
    )


def relay(
    port: int, *, connections: int = 2, timeouts: Timeouts = FAST
) -> SmtpTransport:
    """A transport to a server on this machine."""
    smtp = SmtpConfig(host="127.0.0.1", port=port, tls="none", connections=connections)
    return SmtpTransport(smtp, root=Path(), password="", timeouts=timeouts)


def run_of(
    store: Store,
    transport: Transport,
    *,
    compose: Compose = compose,
    policy: UnknownPolicy = UnknownPolicy.RESEND,
    progress: Progress | None = None,
    **changes: object,
) -> Delivered:
    """Begin a run, recover, deliver, end it; `changes` are settings."""
    clock = changes.pop("clock", lambda: NOW)
    settings = DeliverySettings(
        run=store.begin_run(OWNER, NOW),
        clock=clock,  # type: ignore[arg-type]  # test shorthand
        random=lambda: 0.0,
        max_retry=timedelta(days=3),
        back_off=(0.0, 0.01),
    )
    settings = replace(settings, **changes)  # type: ignore[arg-type]  # test shorthand
    store.recover(settings.run, NOW, policy)
    delivered = deliver(store, transport, compose, settings, progress)
    store.end_run(settings.run, NOW)
    assert store.unbalanced() == []
    return delivered


def logged(path: Path) -> list[str]:
    """What a server took, in order; a line cut off by a kill does not count."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n")]
