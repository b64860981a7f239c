"""Where subscribers, publications and the ledger of deliveries are kept."""
