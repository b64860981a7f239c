"""Ways for a run to be killed: at a named place, at a moment, at a line of code."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.kill import forks
from tests.kill.points import Lines, Passes, install, suit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.kill.forks import Ended
    from tests.kill.scene import Variant
    from tests.stage import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPlace:
    """The `number`th pass of a named place."""

    place: str
    number: int

    def run(self, site: Site, words: Sequence[str], variant: Variant) -> Ended:
        """Run until there; an end without a kill means that it was never reached."""

        def prepare() -> None:
            suit(variant)
            install(Passes(self.place, self.number))

        return forks.run(site, words, prepare)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMoment:
    """So many seconds after the start."""

    seconds: float

    def run(self, site: Site, words: Sequence[str], variant: Variant) -> Ended:
        """Run until then, or to an earlier end."""
        child = forks.start(site, words, lambda: suit(variant))
        if not child.is_over(self.seconds):
            child.send(signal.SIGKILL)
        return child.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLine:
    """The `number`th executed line between the ledger and the wire."""

    number: int

    def run(self, site: Site, words: Sequence[str], variant: Variant) -> Ended:
        """Run until there, or to an earlier end."""

        def prepare() -> None:
            suit(variant)
            Lines(self.number).install()

        return forks.run(site, words, prepare)


Death = AtPlace | AtMoment | AtLine


def count_passes(
    site: Site, words: Sequence[str], variant: Variant, told: Path
) -> Ended:
    """Run to the end, and write to `told` how often each place was passed."""
    passes = Passes()

    def prepare() -> None:
        suit(variant)
        install(passes)
        _at_exit(lambda: passes.write(told))

    return forks.run(site, words, prepare)


def count_lines(
    site: Site, words: Sequence[str], variant: Variant, told: Path
) -> Ended:
    """Run to the end, and write to `told` how many lines were executed."""
    lines = Lines()

    def prepare() -> None:
        suit(variant)
        _at_exit(lambda: told.write_text(f"{lines.executed}", encoding="ascii"))
        lines.install()

    return forks.run(site, words, prepare)


def _at_exit(tell: object) -> None:
    """Call `tell` when the child exits, which it does by `os._exit`."""
    leave = os._exit

    def outer(code: int) -> None:
        assert callable(tell)
        tell()
        leave(code)

    os._exit = outer  # type: ignore[assignment]  # it does not return either
