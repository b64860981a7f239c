"""Six letters, byte for byte: what a change of templates or words does to readers.

`POSTROOM_GOLDEN=1 pytest tests/mail/test_golden.py` writes the files anew; read the
difference before it is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.mail.scenes import golden_letters

GOLDEN = Path(__file__).parents[1] / "golden" / "letters"
LETTERS = golden_letters()


@pytest.mark.parametrize("name", LETTERS)
def test_the_letter_is_that_of_the_golden_files(name: str) -> None:
    """HTML, text, subject and preheader."""
    letter = LETTERS[name]
    made = {
        ".html": letter.html,
        ".txt": f"{letter.subject}\n{letter.preheader}\n\n{letter.text}",
    }
    for suffix, text in made.items():
        path = GOLDEN / f"{name}{suffix}"
        if os.environ.get("POSTROOM_GOLDEN"):
            path.write_bytes(text.encode())
        assert text == path.read_bytes().decode(), path.name


def test_there_is_no_golden_file_without_a_letter() -> None:
    """A renamed letter leaves nothing behind."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(LETTERS)
