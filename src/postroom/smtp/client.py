"""Handing messages to a relay over SMTP (RFC 5321), knowing how far each one came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.config.sections import PORTS
from postroom.smtp.connect import Timeouts, build_relay, connect
from postroom.smtp.exchange import Exchange, Limits
from postroom.smtp.terms import Experience, Terms

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.config.sections import RelayConfig
    from postroom.smtp.base import Feed, P
    from postroom.smtp.connect import Greeted, Relay


class SmtpTransport:
    """Opens sessions with one relay; the contract is `smtp.base.Transport`."""

    def __init__(
        self,
        config: RelayConfig,
        *,
        root: Path,
        password: str,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.name = f"{config.host}:{config.port or PORTS[config.tls]}"
        self.connections = config.connections
        self.rate = config.rate
        self.weight = config.weight
        self._config = config
        self._root = root
        self._password = password
        self._timeouts = timeouts or Timeouts()
        self._experience = Experience()
        self._relay: Relay | None = None

    async def open(self) -> SmtpSession:
        """Connect, secure, log in; raise RelayAwayError or RelayRefusedError."""
        if self._relay is None:  # reading certificates takes 20 ms: once
            self._relay = build_relay(
                self._config, root=self._root, password=self._password
            )
        greeted = await connect(self._relay, self._timeouts)
        return SmtpSession(greeted, self._timeouts, self._experience)


class SmtpSession:
    """One connection; the contract is `smtp.base.Session`."""

    def __init__(
        self, greeted: Greeted, timeouts: Timeouts, experience: Experience
    ) -> None:
        self._dialogue = greeted.dialogue
        self._timeouts = timeouts
        self._experience = experience
        self._terms = Terms(
            greeted.extensions, pipelining=not experience.fails_to_pipeline
        )
        self._limits = Limits(
            envelope=(timeouts.command, timeouts.command, timeouts.data),
            verdict=(timeouts.verdict,),
            reset=(timeouts.command,),
        )

    async def run(self, feed: Feed[P]) -> None:
        """Hand over what `feed` gives until it has no more; see `smtp.base.Session`.

        Raises RelayAwayError where the connection ends or the relay asks for patience,
        RelayRefusedError for a login, sender or size that it never takes.
        """
        exchange = Exchange(
            feed, self._dialogue, self._terms, self._limits, self._experience
        )
        await exchange.run()

    async def close(self) -> None:
        """QUIT, and close within a few seconds."""
        await self._dialogue.close(self._timeouts.quit)
