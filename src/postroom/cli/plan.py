"""`postroom plan`: the coming slots, with posts and recipients."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from postroom.build.run import read_posts
from postroom.cli.shell import (
    json_option,
    parse_now,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.compose.outlook import Upcoming, plan_outlook
from postroom.publish import open_site

if TYPE_CHECKING:
    from postroom.digests.edition import Offer
    from postroom.digests.plan import Coming

AHEAD = timedelta(days=35)
"""A month and some days: every rhythm is seen once."""


@click.command("plan")
@site_option
@json_option
@click.option("--now", metavar="TIME", help="Plan as of then (ISO 8601).")
@click.option("--until", metavar="TIME", help="The last slot shown (default: 35 days).")
def command(
    folder: str | None, *, as_json: bool, now: str | None, until: str | None
) -> None:
    """The coming slots: which posts go to how many subscribers. Sends nothing."""
    config = read_site(folder)
    world = read_world(now)
    start = world.clock()
    end = parse_now(until) if until else start + AHEAD
    with read_posts(config, start) as library:
        upcoming = Upcoming(
            posts=library.posts, scheduled=library.scheduled, present=library.present
        )
    with open_site(config, world) as store:
        coming, offers, notice = plan_outlook(config, store, upcoming, start, end)
    if notice and not as_json:
        click.echo(notice, err=True)
    told_empty = set()
    for item in coming:
        if as_json:
            print_json(_face(item, offers))
        elif item.plan is None and item.cadence in told_empty:
            continue  # one empty slot a rhythm is enough to see that it lives
        else:
            if item.plan is None:
                told_empty.add(item.cadence)
            local = item.slot.astimezone(config.site.timezone)
            click.echo(f"{local:%a %Y-%m-%d %H:%M}  {item.cadence:<9}  {_told(item)}")
            for number in item.plan.posts if item.plan else ():
                click.echo(f"{'':>29}{offers[number].path}")


def _told(item: Coming) -> str:
    if item.plan is None:
        return "nothing new for anybody"
    variants = len(item.plan.variants)
    return f"{len(item.plan.posts)} posts to {item.plan.audience} subscribers" + (
        f" in {variants} variants" if variants > 1 else ""
    )


def _face(item: Coming, offers: dict[int, Offer]) -> dict[str, object]:
    plan = item.plan
    return {
        "cadence": item.cadence,
        "slot": item.slot.isoformat(),
        "posts": [offers[number].path for number in plan.posts] if plan else [],
        "audience": plan.audience if plan else 0,
        "variants": len(plan.variants) if plan else 0,
    }
