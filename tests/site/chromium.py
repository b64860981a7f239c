"""A folder served on loopback, and what a page in it measures in a headless Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60
"""Seconds for one start of the browser and some 50 frames; it takes about three."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--window-size=1300,1000",
    "--virtual-time-budget=60000",
    "--dump-dom",
)


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012 - declared so by the class it overrides
        **SimpleHTTPRequestHandler.extensions_map,
        ".xml": "application/xml; charset=utf-8",
    }

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def measure(url: str, profile: Path) -> list[Any]:
    """Return what the page at `url` wrote into its `found` once its title was `done`."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    run = subprocess.run(
        [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", url],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    document = run.stdout.decode()
    assert "<title>done</title>" in document
    found = json.loads(
        unescape(document.split('<pre id="found">')[1].split("</pre>")[0])
    )
    assert isinstance(found, list)
    return found
