"""What makes a feed a podcast: Apple's tags and those of Podcasting 2.0, as values.

Text posts of a podcast's site carry none of it: an episode is an entry with an enclosure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_line, clean_url
from postroom.feeds.xml_part import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postroom.feeds.feed import Enclosure, Entry, Podcast
    from postroom.posts.post import Episode, Person

GUID_NAMESPACE = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6"
"""Of `podcast:guid`: a UUIDv5 in it, of the feed's address without scheme and slashes
at its end, is the same for everybody who computes it."""
MAX_AUTHOR = 255
"""Characters of a name that Apple takes."""
CHAPTERS_TYPE = "application/json+chapters"
KINDS = frozenset({"episodic", "serial"})


def build_podcast(podcast: Podcast | None, rss_url: str) -> Podcast | None:
    """Return `podcast` with clean texts and an id; without a category there is none."""
    if podcast is None or not clean_line(podcast.category):
        return None
    return replace(
        podcast,
        category=clean_line(podcast.category),
        author=clean_line(podcast.author),
        owner=clean_line(podcast.owner),
        email=clean_line(podcast.email),
        image=clean_url(podcast.image),
        guid=clean_line(podcast.guid) or build_guid(rss_url),
        kind=podcast.kind if podcast.kind in KINDS else "",
        copyright=clean_line(podcast.copyright),
        funding=clean_url(podcast.funding),
        funding_text=clean_line(podcast.funding_text),
    )


def build_guid(rss_url: str) -> str:
    """Return the `podcast:guid` of the feed at `rss_url`."""
    import uuid  # noqa: PLC0415 - few sites are podcasts

    address = rss_url.partition("://")[2].rstrip("/")
    return str(uuid.uuid5(uuid.UUID(GUID_NAMESPACE), address))


def podcast_parts(podcast: Podcast, authors: Iterable[Person]) -> Iterator[Part]:
    """Yield what a feed that is a podcast says of itself."""
    name = podcast.author or _names(authors)
    if name:
        yield Part("itunes:author", name[:MAX_AUTHOR])
    if podcast.email:
        email = Part("itunes:email", podcast.email)
        owner = podcast.owner or name
        named = (Part("itunes:name", owner[:MAX_AUTHOR]),) if owner else ()
        yield Part("itunes:owner", children=(*named, email))
    yield _category(podcast.category)
    yield Part("itunes:explicit", _word(value=podcast.explicit))
    if podcast.image:
        yield Part("itunes:image", "", (("href", podcast.image),))
    if podcast.kind:
        yield Part("itunes:type", podcast.kind)
    yield Part("podcast:guid", podcast.guid)
    owner_of = (("owner", podcast.email),) if podcast.email else ()
    yield Part("podcast:locked", "yes" if podcast.locked else "no", owner_of)
    if podcast.funding:
        text = podcast.funding_text or podcast.funding
        yield Part("podcast:funding", text, (("url", podcast.funding),))


def _category(category: str) -> Part:
    outer, _, inner = (word.strip() for word in category.partition(">"))
    within = (Part("itunes:category", "", (("text", inner),)),) if inner else ()
    return Part("itunes:category", "", (("text", outer),), within)


def episode_parts(entry: Entry, enclosure: Enclosure | None) -> Iterator[Part]:
    """Yield what `entry` says as the episode whose sound or film is `enclosure`."""
    if enclosure is None:
        return
    name = _names(entry.authors)
    if name:
        yield Part("itunes:author", name[:MAX_AUTHOR])
    if enclosure.duration:
        yield Part("itunes:duration", str(enclosure.duration))
    if entry.episode is not None:
        yield from _itunes_parts(entry.episode)
        yield from _podcasting_parts(entry.episode)


def _itunes_parts(episode: Episode) -> Iterator[Part]:
    if episode.season:
        yield Part("itunes:season", str(episode.season))
    if episode.number:
        yield Part("itunes:episode", str(episode.number))
    if episode.kind:
        yield Part("itunes:episodeType", episode.kind)
    if episode.explicit is not None:
        yield Part("itunes:explicit", _word(value=episode.explicit))
    if episode.image:
        yield Part("itunes:image", "", (("href", episode.image),))


def _podcasting_parts(episode: Episode) -> Iterator[Part]:
    if episode.season:
        yield Part("podcast:season", str(episode.season))
    if episode.number:
        yield Part("podcast:episode", str(episode.number))
    if episode.chapters:
        described = (("url", episode.chapters), ("type", CHAPTERS_TYPE))
        yield Part("podcast:chapters", "", described)
    for one in episode.transcripts:
        language = (("language", one.language),) if one.language else ()
        described = (("url", one.url), ("type", one.media_type), *language)
        yield Part("podcast:transcript", "", described)


def _names(people: Iterable[Person]) -> str:
    return ", ".join(person.name for person in people)


def _word(*, value: bool) -> str:
    return "true" if value else "false"
