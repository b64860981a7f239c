"""A letter to one address, to try things out: made like any other, known to no ledger.

Its edition is one that never was, so its Message-ID is its own each time: a mailbox that
knows an id again shows nothing. Its links are those of subscriber 0, who is nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.compose.letters import build_sender, render_letters
from postroom.digests.edition import EditionPlan, VariantPlan
from postroom.errors import ConfigError
from postroom.mail.message import Recipient, compile_letter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from postroom.compose.editions import Shelf
    from postroom.config.sections import Config
    from postroom.mail.dkim import DkimKey
    from postroom.mail.letter import Letter
    from postroom.mail.message import Message

NOBODY = 0
"""The subscriber id of links in a trial: ids of subscribers begin at 1."""
MARK = "[test] "


def sample_letter(config: Config, shelf: Shelf, now: datetime, language: str) -> Letter:
    """The letter of the newest posts of `shelf`, as the default cadence has it.

    Raises ConfigError when there is no post that may be mailed.
    """
    mailed = [post.path for post in shelf.posts if post.mailed]
    newest = [shelf.read(path) for path in mailed[: config.digest.max_posts]]
    if not newest:
        raise ConfigError(
            "there is no public post to send", cure="write one, or name an --edition"
        )
    numbers = range(len(newest), 0, -1)
    variant = VariantPlan(
        number=1,
        language=language or config.site.language,
        posts=tuple(numbers),
        groups=(),
    )
    plan = EditionPlan(
        key=_key(now),
        cadence=config.digest.default,
        slot=now,
        mark=0,
        variants=(variant,),
    )
    return render_letters(config, plan, dict(zip(numbers, newest, strict=True)))[1]


def choose_variant(
    letters: Mapping[int, Letter], language: str, *, preferred: str
) -> Letter:
    """The variant of an edition with the largest audience in a language.

    Without `language` in the `preferred` one, if there is any. Raises ConfigError.
    """
    ranked = [letters[number] for number in sorted(letters)]
    for letter in ranked:
        if letter.language == (language or preferred):
            return letter
    if language:
        there = ", ".join(dict.fromkeys(letter.language for letter in ranked))
        raise ConfigError(
            f"the edition has no variant in {language}", cure=f"it has {there}"
        )
    return ranked[0]


def build_trial(
    config: Config,
    letter: Letter,
    email: str,
    now: datetime,
    *,
    secret: bytes,
    keys: Sequence[DkimKey],
) -> Message:
    """The message that brings `letter` to `email`, signed where there are `keys`."""
    marked = replace(letter, subject=MARK + letter.subject)
    date = now.astimezone(config.site.timezone)
    sender = build_sender(config, secret)
    compiled = compile_letter(marked, sender, _key(now), date, keys)
    recipient = Recipient(NOBODY, email, name="")
    return compiled.draft(recipient).sign() if keys else compiled.fill(recipient)


def _key(now: datetime) -> str:
    return f"test-{now:%Y%m%dT%H%M%S%f}"
