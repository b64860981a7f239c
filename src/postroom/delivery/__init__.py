"""The delivery run: what is queued or due goes to the relay, verdicts into the ledger."""
