"""A delivery run on a real ledger to real servers, set up in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.config.sections import RelayConfig
from postroom.delivery.run import deliver
from postroom.delivery.settings import Delivered, DeliverySettings
from postroom.mail.message import Message
from postroom.smtp.client import SmtpTransport
from postroom.smtp.connect import Timeouts
from postroom.store.values import UnknownPolicy
from postroom.subscribers.subscriber import Cadence, Consent, SubscriberChange
from tests.store.scenes import NOW, OWNER, freeze, number_posts, subscribe

if TYPE_CHECKING:
    from postroom.delivery.settings import Compose, Progress
    from postroom.mail.outcome import DeliveryState
    from postroom.smtp.base import Transport
    from postroom.store.base import Store
    from postroom.store.values import Claim

FAST = Timeouts(step=2, open=4, command=0.5, data=0.5, verdict=0.5, quit=0.5)


def message_id(claim: Claim) -> str:
    """Of the letter for that claim, in every attempt."""
    return f"<{claim.edition}.{claim.subscriber_id}@blog.example>"


def compose(claim: Claim) -> Message:
    """A small letter; what makes it unlike any other is its Message-ID."""
    return Message(
        reverse_path="letters@blog.example",
        recipient=claim.email,
        message_id=message_id(claim),
        data=f"To: {claim.email}\r\nSubject: x\r\n\r\ntext\r\n".encode(),
    )


def compose_named(claim: Claim) -> Message:
    """The same with the Message-ID in it, so that a server can tell what it has."""
    made = compose(claim)
    return made._replace(data=f"Message-ID: {made.message_id}\r\n".encode() + made.data)


def relay(
    port: int, *, timeouts: Timeouts = FAST, password: str = "", **settings: object
) -> SmtpTransport:
    """A transport to a server on this machine; `settings` as in `[smtp]`."""
    usual = RelayConfig(host="127.0.0.1", port=port, tls="none", connections=2)
    config = replace(usual, **settings)  # type: ignore[arg-type]  # test shorthand
    return SmtpTransport(config, root=Path(), password=password, timeouts=timeouts)


def letters_for(store: Store, *names: str) -> None:
    """An edition for these readers is queued."""
    subscribe(store, *names)
    number_posts(store, 1)
    freeze(store)


def letters_to(store: Store, *emails: str) -> None:
    """An edition for these addresses is queued."""
    readers = [
        SubscriberChange(email=email, key=email, consent=Consent.CONFIRMED)
        for email in emails
    ]
    store.save_subscribers(readers, NOW, cadence=Cadence.WEEKLY)
    number_posts(store, 1)
    freeze(store)


def readers(count: int) -> list[str]:
    """Names without a fault."""
    return [f"reader{number:03}" for number in range(count)]


def addresses(count: int) -> list[str]:
    """Of those readers."""
    return [f"{name}@mail.example" for name in readers(count)]


def run_of(
    store: Store,
    *transports: Transport,
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
    delivered = deliver(store, transports, compose, settings, progress)
    store.end_run(settings.run, NOW)
    assert store.unbalanced() == []
    return delivered


def emails_in(store: Store, state: DeliveryState) -> list[str]:
    """Addresses of the deliveries in that state, sorted."""
    return sorted(row.email for row in store.deliveries(state=state))


def logged(path: Path) -> list[str]:
    """What a server took, in order; a line cut off by a kill does not count."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n")]
