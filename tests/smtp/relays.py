"""Relays to test against, on this machine: certificates, transports, time limits."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from postroom.config.sections import RelayConfig
from postroom.smtp.client import SmtpTransport
from postroom.smtp.connect import Timeouts
from tests.fault_server import FaultServer, serving
from tests.smtp.cells import QUIET
from tests.smtp.feed import Letter, ListFeed, check_truth, four, send

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime

    from postroom.errors import PostroomError

PATIENT = Timeouts(step=5, open=10, command=5, data=5, verdict=5, quit=2)
"""For faults that are not about silence: long enough for a busy machine."""
SHORT = Timeouts(step=0.3, open=0.6, command=0.3, data=0.3, verdict=0.3, quit=0.3)
"""For those that are."""
LOGIN = "235 2.7.0 come in"


class Certified:
    """An authority of our own, and server contexts with its certificates."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.path = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.path))

    def context(
        self, host: str = "127.0.0.1", until: datetime | None = None
    ) -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host, not_after=until).configure_cert(context)
        return context


def relay(
    server: FaultServer,
    *,
    tls: str = "none",
    certified: Certified | None = None,
    timeouts: Timeouts = PATIENT,
    username: str = "",
) -> SmtpTransport:
    """A transport to `server`."""
    config = RelayConfig(
        host="127.0.0.1",
        port=server.port,
        tls=tls,
        ca_file=str(certified.path) if certified else "",
        username=username,
        connections=1,
    )
    return SmtpTransport(config, root=Path("/"), password="geheim", timeouts=timeouts)


class Relays:
    """One server for each kind of connection, made when first asked for."""

    def __init__(self, certified: Certified, stack: ExitStack) -> None:
        self.certified = certified
        self._stack = stack
        self._servers: dict[tuple[str, bool], FaultServer] = {}

    def server(self, tls: str, *, pipelining: bool) -> FaultServer:
        """The server of that kind, with an empty log."""
        found = self._servers.get((tls, pipelining))
        if found is None:
            found = FaultServer(pipelining=pipelining)
            found.auth = "" if tls == "none" else LOGIN
            found.tls = self.certified.context() if tls == "implicit" else None
            found.starttls = self.certified.context() if tls == "starttls" else None
            self._servers[tls, pipelining] = self._stack.enter_context(serving(found))
        found.forget()
        return found

    def transport(
        self, server: FaultServer, tls: str, limits: Timeouts
    ) -> SmtpTransport:
        """The way to it, with a login where there is TLS."""
        return relay(
            server,
            tls=tls,
            certified=self.certified,
            timeouts=limits,
            username="" if tls == "none" else "me",
        )


async def meet(
    relays: Relays, tls: str, verb: str, fault: str, *, pipelining: bool
) -> tuple[FaultServer, list[Letter], list[PostroomError]]:
    """Send four letters; the first connection meets a fault at `verb`."""
    server = relays.server(tls, pipelining=pipelining)
    kind = server.scripted if " " in fault else server.faults
    kind[verb] = [fault]
    letters = four()
    limits = SHORT if fault in QUIET else PATIENT
    troubles = await send(relays.transport(server, tls, limits), ListFeed(letters))
    check_truth(server, letters)
    return server, letters, troubles
