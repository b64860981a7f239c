"""Colours of letters, light and dark, and their contrast (WCAG 2.2 §1.4.3).

Six-digit hex only: some webmails drop a whole style block for anything newer.
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_CONTRAST = 4.5
"""WCAG level AA for text of any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """What a letter is painted with."""

    canvas: str
    sheet: str
    ink: str
    """Titles."""
    text: str
    meta: str
    accent: str
    """Links and buttons."""
    on_accent: str
    quiet: str
    """Links on the canvas."""
    box: str
    """Behind a picture that has not come."""
    on_box: str
    line: str
    """Decoration; needs no contrast."""

    def pairs(self) -> dict[str, tuple[str, str]]:
        """Return every text colour with the ground it stands on."""
        return {
            "title": (self.ink, self.sheet),
            "excerpt": (self.text, self.sheet),
            "meta": (self.meta, self.sheet),
            "footer": (self.meta, self.canvas),
            "code": (self.text, self.canvas),
            "link": (self.accent, self.sheet),
            "button": (self.on_accent, self.accent),
            "footer link": (self.quiet, self.canvas),
            "alt text": (self.on_box, self.box),
        }


LIGHT = Palette(
    canvas="#f3f1ec",
    sheet="#ffffff",
    ink="#1b1c1e",
    text="#34363a",
    meta="#5c5f63",
    accent="#0e5a4f",
    on_accent="#ffffff",
    quiet="#3a5f63",
    box="#dfe5e1",
    on_box="#3a5f63",
    line="#e4e0d7",
)

DARK = Palette(
    canvas="#111213",
    sheet="#1b1c1e",
    ink="#f0eee9",
    text="#d3d0c9",
    meta="#a9a69e",
    accent="#8ed1bf",
    on_accent="#10211d",
    quiet="#8ed1bf",
    box="#2a2f2d",
    on_box="#b9c9c4",
    line="#36373b",
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, from sRGB."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - constants of WCAG 2 relative luminance
        for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
