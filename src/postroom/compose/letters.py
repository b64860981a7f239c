"""A planned edition's letters, each variant rendered once, and a claim's message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS
from postroom.files.package import template_loader
from postroom.mail.letter import Letter, LetterSettings, render_letter
from postroom.mail.message import Message, Recipient, Sender, build_message
from postroom.site.theme import build_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from postroom.config import Config
    from postroom.digests.edition import EditionPlan
    from postroom.posts.post import Post
    from postroom.store.base import Claim, Store


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
        from_=config.mail.from_ or f"letters@{config.site.host}",
        reply_to=config.mail.reply_to,
        site_title=config.site.title,
        site_url=config.site.url,
        link_url=config.link_url,
        postal_address=config.mail.postal_address,
        secret=secret,
    )


def message_builder(
    store: Store, sender: Sender, zone: tzinfo
) -> Callable[[Claim], Message]:
    """Return what makes a claim's message; letters are read once per edition."""
    letters: dict[str, dict[int, Letter]] = {}

    def build(claim: Claim) -> Message:
        if claim.edition not in letters:
            letters.clear()  # claims come edition by edition: one is enough
            letters[claim.edition] = store.letters(claim.edition)
        return build_message(
            letters[claim.edition][claim.variant],
            sender,
            Recipient(
                edition=claim.edition,
                subscriber_id=claim.subscriber_id,
                email=claim.email,
                name=claim.name,
            ),
            claim.frozen_at.astimezone(zone),
        )

    return build
