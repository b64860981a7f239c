"""Which editions have deliveries to be had at `:now`: one look into the index for each.

Neither a paused one nor one whose slot is still to come, however many rows wait there.
"""

from __future__ import annotations

# UNION, not UNION ALL: a damaged index that leads back to an edition must end it.
_WAITING = """
WITH RECURSIVE waiting (edition) AS (
    SELECT (SELECT min(edition) FROM delivery WHERE state = '{state}')
    UNION
    SELECT (SELECT min(d.edition) FROM delivery AS d
            WHERE d.state = '{state}' AND d.edition > waiting.edition)
    FROM waiting WHERE waiting.edition IS NOT NULL
)
SELECT e.id, e.key, e.frozen_at, max(e.frozen_at, e.slot)
FROM waiting CROSS JOIN edition AS e ON e.id = waiting.edition
WHERE e.paused = 0 AND e.slot <= :now {also}
"""
QUEUED_EDITIONS = _WAITING.format(state="queued", also="")
DUE_EDITIONS = _WAITING.format(
    state="deferred",
    also="AND EXISTS (SELECT 1 FROM delivery AS d WHERE d.state = 'deferred'"
    " AND d.edition = e.id AND d.retry_at <= :now)",
)
"""Id, key, when it was frozen, and its date: the slot where that is later."""
