"""The colours of the style sheet can be read: WCAG 2.2 ratios, computed from its tokens."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

STYLE = Path(__file__).parents[2] / "templates" / "site" / "style.css"
TOKEN = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6});")
DARK = "@media (prefers-color-scheme: dark)"

TEXT = 4.5
"""WCAG 1.4.3: text against what is behind it."""
CONTROL = 3.0
"""WCAG 1.4.11: the edge of a field."""

CODE = ("comment", "keyword", "string", "number", "name", "error")
PAIRS = [
    *((ink, ground, TEXT) for ink, ground in product(
        ("ink", "text", "soft", "accent"), ("page", "panel", "tint"))),
    *((f"code-{kind}", ground, TEXT) for kind, ground in product(CODE, ("code", "tint"))),
    ("ink", "code", TEXT),
    ("on-accent", "accent", TEXT),
    *(("edge", ground, CONTROL) for ground in ("page", "panel", "tint")),
]  # fmt: skip


def _schemes() -> dict[str, dict[str, str]]:
    light_text, _, rest = STYLE.read_text(encoding="utf-8").partition(DARK)
    dark_text = rest.partition("/* --")[0]
    light = dict(TOKEN.findall(light_text))
    return {"light": light, "dark": dict(TOKEN.findall(dark_text))}


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ratio(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_both_schemes_name_the_same_colours() -> None:
    """A colour that only one scheme sets would be wrong in the other."""
    schemes = _schemes()
    assert schemes["light"].keys() == schemes["dark"].keys()
    assert len(schemes["light"]) >= 15


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast_is_enough(scheme: str, ink: str, ground: str, least: float) -> None:
    """Text and the edges of fields stand out from every ground they are used on."""
    colours = _schemes()[scheme]
    assert _ratio(colours[ink], colours[ground]) >= least


def test_the_ratio_is_the_standard_s() -> None:
    """Black on white is 21 to 1; the table of the design is met."""
    assert _ratio("#000000", "#ffffff") == pytest.approx(21)
    assert _ratio("#0c6a5b", "#fcfbf8") == pytest.approx(6.3, abs=0.05)


def test_colours_are_named_once() -> None:
    """Below the tokens only the print colours are written out; all else uses names."""
    text = STYLE.read_text(encoding="utf-8")
    rules = text.partition("/* -- type")[2].partition("@media print")[0]
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb\(", rules) == []


def test_every_colour_that_is_used_is_named() -> None:
    """A misspelt name would silently be no colour at all."""
    text = STYLE.read_text(encoding="utf-8")
    used = set(re.findall(r"var\(--([a-z-]+)\)", text))
    assert used == _schemes()["light"].keys()
