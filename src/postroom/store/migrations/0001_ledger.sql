-- The first schema. Instants are Unix milliseconds UTC, lists are canonical JSON text.
-- A file here is applied in one transaction and never edited once released.
-- Checks are chains of OR: SQLite builds a table for a longer IN at every write.

CREATE TABLE ledger (
    one              INTEGER PRIMARY KEY CHECK (one = 1),
    ledger_id        TEXT    NOT NULL,
    authority        TEXT    NOT NULL,
    salt             BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    serial           INTEGER NOT NULL DEFAULT 0,
    counter          INTEGER NOT NULL DEFAULT 0,
    published_before INTEGER NOT NULL DEFAULT 0 CHECK (published_before IN (0, 1))
) STRICT;

CREATE TABLE run (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    host       TEXT    NOT NULL,
    boot_id    TEXT    NOT NULL,
    pid        INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;

CREATE TABLE publication (
    id         TEXT    PRIMARY KEY NOT NULL,
    path       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    first_seen INTEGER NOT NULL,
    number     INTEGER UNIQUE,
    mail       TEXT    NOT NULL
               CHECK (mail = 'new' OR mail = 'numbered' OR mail = 'held' OR mail = 'archived'),
    reason     TEXT    NOT NULL
) STRICT;

CREATE INDEX publication_new ON publication (mail) WHERE mail = 'new';

-- AUTOINCREMENT: the id of an erased person is never given to another one.
CREATE TABLE subscriber (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT    NOT NULL UNIQUE,
    email      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    consent    TEXT    NOT NULL
               CHECK (consent = 'confirmed' OR consent = 'pending'
                   OR consent = 'unsubscribed' OR consent = 'suppressed'),
    cadence    TEXT    NOT NULL
               CHECK (cadence = 'weekly' OR cadence = 'daily'
                   OR cadence = 'monthly' OR cadence = 'immediate'),
    topics     TEXT    NOT NULL,
    language   TEXT    NOT NULL,
    mark       INTEGER NOT NULL,
    added_at   INTEGER NOT NULL,
    consent_at INTEGER,
    changed_at INTEGER NOT NULL    -- of consent, cadence, topics or language
) STRICT;

CREATE INDEX subscriber_immediate ON subscriber (mark)
    WHERE consent = 'confirmed' AND cadence = 'immediate';

-- Erased people: HMAC-SHA256 of the folded address under the ledger's salt.
CREATE TABLE suppression (
    hash      BLOB    PRIMARY KEY NOT NULL,
    erased_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slot (
    cadence TEXT    PRIMARY KEY NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE edition (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT    NOT NULL UNIQUE,
    cadence   TEXT    NOT NULL,
    slot      INTEGER NOT NULL,
    frozen_at INTEGER NOT NULL,
    posts     TEXT    NOT NULL,
    audience  INTEGER NOT NULL,
    balanced  INTEGER NOT NULL DEFAULT 0    -- found whole with nothing left to send
              CHECK (balanced = 0 OR balanced = 1)
) STRICT;

CREATE TABLE variant (
    edition   INTEGER NOT NULL REFERENCES edition (id),
    number    INTEGER NOT NULL,
    posts     TEXT    NOT NULL,
    language  TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    preheader TEXT    NOT NULL,
    html      TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    PRIMARY KEY (edition, number)
) STRICT;

-- The ledger. A row outlives its subscriber; batches are ranges of the primary key.
CREATE TABLE delivery (
    edition     INTEGER NOT NULL REFERENCES edition (id),
    subscriber  INTEGER NOT NULL,
    batch       INTEGER NOT NULL,
    variant     INTEGER NOT NULL,
    state       TEXT    NOT NULL
                CHECK (state = 'queued' OR state = 'claimed' OR state = 'handing'
                    OR state = 'accepted' OR state = 'deferred' OR state = 'failed'
                    OR state = 'unknown' OR state = 'skipped' OR state = 'expired'),
    email       TEXT    NOT NULL,              -- as frozen; '' once erased
    attempts    INTEGER NOT NULL DEFAULT 0,
    resends     INTEGER NOT NULL DEFAULT 0,    -- times an unknown was queued again
    epoch       INTEGER NOT NULL DEFAULT 0,    -- grows with every claim
    run         INTEGER,                       -- whose the last claim is or was
    lease_until INTEGER,
    retry_at    INTEGER CHECK ((state = 'deferred') = (retry_at IS NOT NULL)),
    updated_at  INTEGER NOT NULL,
    message_id  TEXT    NOT NULL DEFAULT '',
    reply       TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (edition, subscriber)
) STRICT, WITHOUT ROWID;

-- Only open rows are in it: its size, and every look-up, is that of the work left.
-- Written with OR because SQLite then sees that `state = 'queued'` implies it.
CREATE INDEX delivery_open ON delivery (state, retry_at, edition, subscriber)
    WHERE state = 'queued' OR state = 'claimed' OR state = 'handing'
       OR state = 'deferred' OR state = 'unknown';
