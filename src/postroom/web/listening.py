"""Where the server listens: a TCP port or a Unix socket."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from postroom.errors import ConfigError

UNIX = "unix:"
BACKLOG = 2048
"""Connections that wait to be taken; Linux cuts it to net.core.somaxconn."""
SOCKET_MODE = 0o666
"""Whoever reaches the folder of a Unix socket may connect, as to a port."""


def open_socket(bind: str) -> socket.socket:
    """Listen at `HOST:PORT`, `[IPV6]:PORT` or `unix:/PATH`; port 0 is any free one.

    Raises ConfigError when that cannot be had.
    """
    try:
        if bind.startswith(UNIX):
            return _open_unix(bind.removeprefix(UNIX))
        host, _, port = bind.rpartition(":")
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        return socket.create_server(
            (host.strip("[]"), int(port)), family=family, backlog=BACKLOG
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {bind}: {error.strerror}",
            cure="set web.bind or --bind to an address that is ours and free",
        ) from None


def _open_unix(path: str) -> socket.socket:
    """Listen at a path; what a killed server left there is taken away."""
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(path)
        Path(path).chmod(SOCKET_MODE)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _remove_stale(path: str) -> None:
    """Unlink a socket at which nobody listens, and nothing else."""
    if not is_socket(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()


def is_socket(path: str) -> bool:
    """Whether there is a socket at `path`."""
    try:
        return stat.S_ISSOCK(Path(path).lstat().st_mode)
    except OSError:
        return False


def address_of(listening: socket.socket) -> str:
    """Return where clients find an open socket."""
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"{UNIX}{name}"
    host = f"[{name[0]}]" if listening.family == socket.AF_INET6 else name[0]
    return f"http://{host}:{name[1]}"


def release(listening: socket.socket, address: str) -> None:
    """Close a socket, and take away the file of a Unix one."""
    listening.close()
    if address.startswith(UNIX) and is_socket(address.removeprefix(UNIX)):
        Path(address.removeprefix(UNIX)).unlink()
