"""The hub, and the feeds that it is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import Database, to_json
from postroom.store.values import FeedFile, HubState, Ping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

STATE = """
SELECT mark, failures, rest_until <= :now
       AND EXISTS (SELECT 1 FROM ping WHERE due_at <= :now)
FROM hub
"""
FORGET_GONE = "DELETE FROM ping WHERE path NOT IN (SELECT value FROM json_each(?))"
# Due at 0, whatever the clock says later. A feed that changes while its ping waits has
# waited since the change before: a hub that is never there is reported, however often
# feeds change.
RECORD = """
INSERT INTO ping (path, stamp, digest, due_at, since)
VALUES (:path, :stamp, :digest, 0, :now)
ON CONFLICT (path) DO UPDATE SET
    digest = excluded.digest, due_at = excluded.due_at, attempts = 0, reply = '',
    since = CASE WHEN due_at IS NULL THEN excluded.since ELSE since END
WHERE digest <> excluded.digest
"""
STAMP = "UPDATE ping SET stamp = :stamp WHERE path = :path AND stamp <> :stamp"
DUE = """
SELECT path, digest, attempts, since FROM ping
WHERE due_at <= :now AND (SELECT rest_until FROM hub) <= :now
ORDER BY path LIKE '%/%', due_at, path
"""
SETTLE = """
UPDATE ping SET due_at = :due_at, reply = :reply,
    attempts = CASE WHEN :due_at IS NULL THEN 0 ELSE attempts + 1 END
WHERE path = :path AND digest = :digest
"""
REST = "UPDATE hub SET failures = failures + 1, rest_until = ?, reply = ?"
WELL = "UPDATE hub SET failures = 0, rest_until = 0, reply = '' WHERE failures > 0"
GIVE_UP = """
UPDATE ping SET due_at = NULL, attempts = 0, reply = ?
WHERE due_at IS NOT NULL AND since <= ? RETURNING path
"""


class Pings(Database):
    """Fifth group of the protocol: see `store.base.Store`."""

    def hub_state(self, now: datetime) -> HubState:
        """Tell how it stands with the hub; one look-up."""
        with self._reading() as cursor:
            row = cursor.execute(STATE, {"now": from_instant(now)}).fetchone()
            mark, failures, due = row or ("", 0, 0)
            return HubState(mark=mark, due=bool(due), failures=failures)

    def known_feeds(self) -> dict[str, FeedFile]:
        """The feeds of the build that was last recorded, by path."""
        with self._reading() as cursor:
            return {
                path: FeedFile(stamp, digest)
                for path, stamp, digest in cursor.execute(
                    "SELECT path, stamp, digest FROM ping"
                )
            }

    def record_feeds(
        self, hub: str, mark: str, feeds: Mapping[str, FeedFile], now: datetime
    ) -> None:
        """Store what a build's feeds are; a ping of each that changed is due at once."""
        with self._writing() as cursor:
            row = cursor.execute("SELECT address FROM hub").fetchone()
            if row != (hub,):
                cursor.execute("DELETE FROM hub")
                cursor.execute("DELETE FROM ping")
            if not hub:
                return
            cursor.execute(
                "INSERT INTO hub (one, address, mark) VALUES (1, ?, ?)"
                " ON CONFLICT (one) DO UPDATE SET mark = excluded.mark",
                (hub, mark),
            )
            rows = [
                {
                    "path": path,
                    "stamp": feed.stamp,
                    "digest": feed.digest,
                    "now": from_instant(now),
                }
                for path, feed in feeds.items()
            ]
            cursor.execute(FORGET_GONE, (to_json(feeds),))
            cursor.executemany(RECORD, rows)
            cursor.executemany(STAMP, rows)

    def due_pings(self, now: datetime) -> list[Ping]:
        """Feeds to tell the hub of, the site's own first; none while the hub rests."""
        with self._reading() as cursor:
            return [
                Ping(path, digest, attempts, to_instant(since))
                for path, digest, attempts, since in (
                    cursor.execute(DUE, {"now": from_instant(now)})
                )
            ]

    def settle_ping(
        self, ping: Ping, *, reply: str = "", retry_at: datetime | None = None
    ) -> None:
        """Write what the hub said of a feed; without `retry_at` that was the last word."""
        with self._writing() as cursor:
            cursor.execute(
                SETTLE,
                {
                    "path": ping.path,
                    "digest": ping.digest,
                    "due_at": None if retry_at is None else from_instant(retry_at),
                    "reply": reply,
                },
            )
            cursor.execute(WELL)

    def rest_hub(self, until: datetime, reply: str, *, give_up: datetime) -> list[str]:
        """No ping is due before `until`; returns the paths of those that never will be."""
        with self._writing() as cursor:
            cursor.execute(REST, (from_instant(until), reply))
            rows = cursor.execute(GIVE_UP, (reply, from_instant(give_up))).fetchall()
        return sorted(path for (path,) in rows)
