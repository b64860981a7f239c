"""A planned edition's letters, each variant rendered once, and a claim's message."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS
from postroom.files.package import template_loader
from postroom.files.signatures import SignatureReader, signatures_path
from postroom.mail.compiled_signatures import signed_octets
from postroom.mail.letter import Letter, LetterSettings, render_letter
from postroom.mail.message import CompiledLetter, Message, Sender, compile_letter
from postroom.site.theme import build_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from postroom.config.sections import Config
    from postroom.digests.edition import EditionPlan
    from postroom.mail.dkim import DkimKey
    from postroom.mail.message import Draft
    from postroom.posts.post import Post
    from postroom.store.base import Store
    from postroom.store.values import Claim

EDITIONS = 4
"""Editions kept: a run sends one after the other, and old ones' deferred letters."""


def render_letters(
    config: Config, plan: EditionPlan, posts: Mapping[int, Post]
) -> dict[int, Letter]:
    """Render every variant of `plan`; `posts` by publication number."""
    environment = build_environment(template_loader(config.templates_folder))
    return {
        variant.number: render_letter(
            [posts[number] for number in variant.posts],
            LetterSettings(
                site_title=config.site.title,
                site_url=config.site.url,
                language=variant.language,
                zone=config.site.timezone,
                cadence=plan.cadence,
                edition=plan.key,
                slot=plan.slot,
                author=config.site.author,
                postal_address=config.mail.postal_address,
                max_posts=config.digest.max_posts,
                feed_url=config.site.url + FORMATS[config.feeds.formats[0]].file_name
                if config.feeds.formats
                else "",
            ),
            environment,
        )
        for variant in plan.variants
    }


def build_sender(config: Config, secret: bytes) -> Sender:
    """What all messages of the site share."""
    return Sender(
        from_=config.from_,
        reply_to=config.mail.reply_to,
        site_title=config.site.title,
        site_url=config.site.url,
        link_url=config.link_url,
        postal_address=config.mail.postal_address,
        secret=secret,
    )


class MessageBuilder:
    """Makes the messages of claims; each letter is read and compiled once.

    With `keys` they are signed: what was signed ahead of the slot is looked up, for the
    rest a draft is returned that someone has to sign.
    """

    def __init__(
        self,
        store: Store,
        sender: Sender,
        zone: tzinfo,
        keys: Sequence[DkimKey],
        state_folder: Path,
    ) -> None:
        self._store = store
        self._sender = sender
        self._zone = zone
        self.keys = keys
        self._state_folder = state_folder
        self._editions: dict[str, EditionLetters] = {}

    def __call__(self, claim: Claim) -> Message | Draft:
        """Return the message, or its draft; the contract is `delivery.settings.Compose`."""
        letters = self._letters_of(claim)
        letter = letters.letter(claim.variant)
        if not self.keys:
            return letter.fill(claim)
        draft = letter.draft(claim)
        signed = letters.signatures.find(claim.subscriber_id, draft.fingerprint)
        return draft.complete(signed) if signed else draft

    def draft(self, claim: Claim) -> Draft:
        """Return the draft of a claim's message, for signing ahead."""
        return self._letters_of(claim).letter(claim.variant).draft(claim)

    def close(self) -> None:
        """Close the files of signatures."""
        while self._editions:
            self._editions.popitem()[1].signatures.close()

    def _letters_of(self, claim: Claim) -> EditionLetters:
        letters = self._editions.get(claim.edition)
        if letters is None:
            if len(self._editions) >= EDITIONS:
                oldest = next(iter(self._editions))
                self._editions.pop(oldest).signatures.close()
            letters = self._editions[claim.edition] = self._open(claim)
        return letters

    def _open(self, claim: Claim) -> EditionLetters:
        date = claim.dated.astimezone(self._zone)
        edition, keys = claim.edition, self.keys

        def compile_(letter: Letter) -> CompiledLetter:
            return compile_letter(letter, self._sender, edition, date, keys)

        signatures = SignatureReader(
            signatures_path(self._state_folder, edition),
            octets=signed_octets(keys),
            stamp=stamp(keys),
        )
        return EditionLetters(self._store.letters(edition), compile_, signatures)


class EditionLetters:
    """What a builder keeps of one edition."""

    def __init__(
        self,
        letters: Mapping[int, Letter],
        compile_: Callable[[Letter], CompiledLetter],
        signatures: SignatureReader,
    ) -> None:
        self.signatures = signatures
        self._letters = letters
        self._compile = compile_
        self._compiled: dict[int, CompiledLetter] = {}

    def letter(self, variant: int) -> CompiledLetter:
        """Return a variant, compiled when it is first asked for."""
        compiled = self._compiled.get(variant)
        if compiled is None:
            compiled = self._compiled[variant] = self._compile(self._letters[variant])
        return compiled


def stamp(keys: Sequence[DkimKey]) -> bytes:
    """Return 16 octets that other keys, or other names for them, would change."""
    told = [(key.domain, key.selector, key.algorithm, key.public.hex()) for key in keys]
    return sha256(repr(told).encode()).digest()[:16]
