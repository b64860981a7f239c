"""Answer GET and HEAD with the files of the output folder: the ASGI application for them."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from postroom.errors import ConfigError
from postroom.site.address import INDEX, base_path
from postroom.web.headers import ALWAYS, encode
from postroom.web.old_feeds import old_feed_targets
from postroom.web.paths import location, parse_path
from postroom.web.representation import (
    Asked,
    build_plain,
    join_fields,
    represent,
    represent_missing,
)
from postroom.web.sending import Answer, send_answer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from postroom.web.headers import Policy
    from postroom.web.shelf import Shelf

METHODS = ("GET", "HEAD")
NOT_FOUND = "404.html"
KNOWN_PATHS = 4096
"""Paths whose header fields are kept ready."""
REDIRECT_CACHE = "public, max-age=3600"
"""An address that moved may move back: without it a browser keeps 301 for ever."""

log = logging.getLogger(__name__)


class Published:
    """The published files, under the path of the site's address."""

    def __init__(self, shelf: Shelf, policy: Policy) -> None:
        """`policy` is what the site decides about header fields; raises ConfigError."""
        self.shelf = shelf
        self.base = _parse_base(policy.url)
        self.fields_of = lru_cache(KNOWN_PATHS)(policy.fields_of)
        self.missing_fields = policy.not_found_fields(NOT_FOUND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        asked = Asked(method=scope["method"], fields=join_fields(scope["headers"]))
        if asked.method in METHODS:
            try:
                answer = await self._answer(scope["raw_path"], asked)
            except OSError as error:
                place = error.filename or scope["raw_path"].decode("latin-1")
                log.error("%s: %s", place, error.strerror)  # noqa: TRY400 - place and reason say it all
                answer = build_plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            allowed = {"Allow": ", ".join(METHODS)}
            answer = build_plain(HTTPStatus.METHOD_NOT_ALLOWED, allowed)
        await send_answer(answer, receive, send, with_body=asked.method != "HEAD")

    async def _answer(self, raw_path: bytes, asked: Asked) -> Answer:
        segments = parse_path(raw_path)
        if segments is None:
            return await self._not_found(asked)
        if self.base and segments == ("",):
            return _redirect(HTTPStatus.FOUND, (*self.base, ""))
        if self.base and segments == self.base:
            return _redirect(HTTPStatus.MOVED_PERMANENTLY, (*self.base, ""))
        depth = len(self.base)
        if segments[:depth] != self.base:
            return await self._not_found(asked)
        return await self._answer_inside("/".join(segments[depth:]), asked)

    async def _answer_inside(self, path: str, asked: Asked) -> Answer:
        """Answer for a path below the site's; it ends with `/` when it is a folder's."""
        is_folder = not path or path.endswith("/")
        answer = await self._represent(path + INDEX if is_folder else path, asked)
        if answer:
            return answer
        if not is_folder and await self.shelf.find(f"{path}/{INDEX}"):
            return self._moved(f"{path}/")
        for target in old_feed_targets(path):
            if await self.shelf.find(target):
                return self._moved(target)
        return await self._not_found(asked)

    async def _represent(self, path: str, asked: Asked) -> Answer | None:
        """Return the file at `path` as an answer, None when there is none."""
        version = await self.shelf.find(path)
        if version is None:
            return None
        known = self.fields_of(path)
        if version.data is not None or asked.method == "HEAD":
            return await represent(self.shelf, version, known, asked)
        opened = await self.shelf.open_version(version)
        if opened is None:
            return None
        version, file = opened
        answer = None
        try:
            answer = await represent(self.shelf, version, known, asked, file)
        finally:
            if answer is None or answer.file is None:
                os.close(file)
        return answer

    def _moved(self, path: str) -> Answer:
        return _redirect(HTTPStatus.MOVED_PERMANENTLY, (*self.base, *path.split("/")))

    async def _not_found(self, asked: Asked) -> Answer:
        page = await self.shelf.find(NOT_FOUND)
        return await represent_missing(self.shelf, page, self.missing_fields, asked)


def _parse_base(url: str) -> tuple[str, ...]:
    """Return the folders of the site's address."""
    segments = parse_path(base_path(url).encode("ascii"))
    if segments is None:
        raise ConfigError(
            f"site.url {url!r} cannot be served",
            cure="its path must have no hidden or empty folder",
        )
    return segments[:-1]


def _redirect(status: HTTPStatus, segments: tuple[str, ...]) -> Answer:
    """Without a body, to a path: the host is what the client takes it to be."""
    fields = {
        "Location": location(segments),
        "Content-Length": "0",
        "Cache-Control": REDIRECT_CACHE,
        **ALWAYS,
    }
    return Answer(status=status, fields=encode(fields))
