"""One source as it is read, far enough to ask for its address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from postroom.posts import slug
from postroom.posts.decode import parse_text
from postroom.posts.front_matter import parse_front_matter
from postroom.posts.head import parse_head
from postroom.posts.keys import Keys
from postroom.posts.permalink import parse_permalink
from postroom.posts.place import read_url
from postroom.posts.post import Rules, Source
from postroom.posts.reading import Reading

SITE = "https://b.example/"
RULES = Rules(site_url=SITE, language="ko", zone=ZoneInfo("Asia/Seoul"))


def read_address(
    pattern: str, path: str, text: str, rules: Rules = RULES
) -> tuple[str, list[str]]:
    """Return the address of a source by `pattern`, and the messages of its warnings."""
    source = Source(path=path, data=text.encode())
    head = parse_head(source, rules)
    front = parse_front_matter(
        parse_text(source, rules.encoding), pelican=rules.pelican_header
    )
    reading = Reading(
        path=path,
        rules=rules,
        front=front,
        keys=Keys(front.values),
        name=slug.parse_name(path),
    )
    url = read_url(
        reading,
        parse_permalink(rules.site_url + pattern),
        slug=head.slug,
        published=head.published,
    )
    return url, [problem.message for problem in reading.problems]
