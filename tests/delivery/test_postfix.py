"""A real Postfix on loopback takes every message once, and its log proves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postroom.mail.mail_log import parse_mail_log
from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import compose, relay, run_of
from tests.delivery.servers import await_port
from tests.stage import free_port
from tests.store.scenes import freeze, number_posts, subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.mail.message import Message
    from postroom.store.base import Store
    from postroom.store.values import Claim

POSTFIX = Path("/usr/sbin/postfix")
DAEMONS = Path("/usr/lib/postfix/sbin")
READERS = 200
SECONDS = 60

pytestmark = pytest.mark.skipif(
    not POSTFIX.exists() or os.geteuid() != 0, reason="needs Postfix, and to be root"
)

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
SETTINGS = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = discard
maillog_file = {home}/log
maillog_file_prefixes = {home}
"""


def compose_with_id(claim: Claim) -> Message:
    """The small letter of these tests, with its Message-ID in the header."""
    message = compose(claim)
    field = f"Message-ID: {message.message_id}\r\n".encode()
    return message._replace(data=field + message.data)


@contextmanager
def postfix(home: Path) -> Iterator[int]:
    """Run a Postfix of our own, which throws away what it takes; gives its port."""
    port = free_port()
    home.chmod(0o755)
    config = home / "config"
    config.mkdir()
    (home / "queue").mkdir()
    (home / "data").mkdir()
    shutil.chown(home / "data", "postfix")
    names = {"home": home, "daemons": DAEMONS, "port": port}
    (config / "main.cf").write_text(SETTINGS.format(**names), encoding="ascii")
    (config / "master.cf").write_text(SERVICES.format(**names), encoding="ascii")
    subprocess.run(
        [POSTFIX, "-c", config, "start"], check=True, capture_output=True, timeout=60
    )
    try:
        await_port(port)
        yield port
    finally:
        subprocess.run(
            [POSTFIX, "-c", config, "stop"],
            check=False,
            capture_output=True,
            timeout=60,
        )


def sent(log: Path) -> int:
    """How many messages the log says were disposed of, once there are enough."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        count = log.read_text(encoding="utf-8").count("status=sent")
        if count >= READERS:
            return count
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8")[-2000:])


@pytest.mark.parametrize("connections", [1, 5])
def test_postfix_takes_every_message_once(store: Store, connections: int) -> None:
    """Pipelined across messages; each Message-ID has one queue id, and that was sent."""
    subscribe(store, *(f"reader{number}" for number in range(READERS)))
    number_posts(store, 1)
    freeze(store)
    with tempfile.TemporaryDirectory(prefix="postroom-postfix-") as name:
        home = Path(name)
        with postfix(home) as port:
            delivered = run_of(
                store,
                relay(port, connections=connections),
                compose=compose_with_id,
            )
            assert sent(home / "log") == READERS
            log = (home / "log").read_text(encoding="utf-8")
    assert delivered.counts == {DeliveryState.ACCEPTED: READERS}
    ids = {row.message_id for row in store.deliveries()}
    assert len(ids) == READERS
    proofs = parse_mail_log(log.splitlines(), ids)
    assert {proof.state for proof in proofs.values()} == {DeliveryState.ACCEPTED}
    assert set(proofs) == ids
    assert len({proof.queue_id for proof in proofs.values()}) == READERS
    assert all("queued as" in row.reply for row in store.deliveries())
