"""Who receives letters: address, consent, links, tables."""
