-- The WebSub hub, and the feeds that it is told of.

CREATE TABLE hub (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    address    TEXT    NOT NULL,
    mark       TEXT    NOT NULL,              -- of the build whose feeds are in `ping`
    failures   INTEGER NOT NULL DEFAULT 0,    -- in a row, of the hub itself
    rest_until INTEGER NOT NULL DEFAULT 0,    -- no ping is due before
    reply      TEXT    NOT NULL DEFAULT ''
) STRICT;

-- One row per feed file of the last build; its ping waits while `due_at` is set.
CREATE TABLE ping (
    path     TEXT    PRIMARY KEY NOT NULL,    -- in the output folder
    stamp    TEXT    NOT NULL,                -- time and size of the file
    digest   TEXT    NOT NULL,                -- SHA-256 of its bytes
    due_at   INTEGER,
    since    INTEGER NOT NULL,                -- when the ping that waits, or the last one, began to
    attempts INTEGER NOT NULL DEFAULT 0,      -- in vain, about this feed
    reply    TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX ping_due ON ping (due_at) WHERE due_at IS NOT NULL;
