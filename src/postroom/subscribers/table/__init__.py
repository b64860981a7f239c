"""Tables of subscribers: CSV in from here and elsewhere, CSV out."""
