-- Journals, and editions that wait: for their slot, or for their operator.

-- What intents and outcomes of the run survive: '' where it had no journal.
ALTER TABLE run ADD COLUMN durability TEXT NOT NULL DEFAULT ''
    CHECK (durability = '' OR durability = 'process' OR durability = 'power');

ALTER TABLE edition ADD COLUMN paused INTEGER NOT NULL DEFAULT 0
    CHECK (paused = 0 OR paused = 1);

-- By edition before `retry_at`: what waits of one edition is never met while looking
-- for what is to be had of another.
DROP INDEX delivery_open;
CREATE INDEX delivery_open ON delivery (state, edition, retry_at, subscriber)
    WHERE state = 'queued' OR state = 'claimed' OR state = 'handing'
       OR state = 'deferred' OR state = 'unknown';
