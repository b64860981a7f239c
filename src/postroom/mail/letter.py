"""A letter: one variant's subject, HTML and text, with holes for what is personal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A rendered variant; `html` and `text` hold holes that a message fills."""

    language: str
    subject: str
    preheader: str
    html: str
    text: str
