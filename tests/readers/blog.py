"""A blog of eight Korean posts made by the real command line, and what it must look like.

The facts a reader is held to come from here and from `postroom posts list`, never from
the feeds it read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.stage import Site

URL = "https://blog.example/"
NOW = "2026-03-20T09:00:00+09:00"
LATER = "2026-03-21T09:00:00+09:00"
SOUND = b"ID3" + bytes(range(256)) * 40
EVERYBODY = ("한미나",)
"""Who wrote the posts that name nobody: the site's author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that comes with an entry; a reader may keep no type and no length."""

    url: str
    media_type: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Essay:
    """A post: its file, and what a reader must see of it."""

    name: str
    title: str
    slug: str
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = EVERYBODY
    head: str = ""
    """More lines of front matter."""
    text: str = "첫 문장이다. 둘째 문장이다."
    shows: tuple[str, ...] = ()
    """Absolute URLs that its content refers to."""
    attached: tuple[Attached, ...] = ()

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"{URL}posts/{quote(self.slug)}/"

    @property
    def end(self) -> str:
        """The last words of it: who sees them has the whole text."""
        return f"여기까지가 「{self.slug}」의 끝."

    def source(self) -> str:
        """The file's text."""
        quoted = self.title.replace('"', '\\"')
        authors = f"authors: [{', '.join(self.authors)}]\n"
        return (
            f'---\ntitle: "{quoted}"\ntags: [{", ".join(map(repr, self.tags))}]\n'
            f"{authors if self.authors != EVERYBODY else ''}{self.head}---\n\n"
            f"{self.text}\n\n{self.end}\n"
        )


ESSAYS = (
    Essay(
        name="2026-03-01-first-snow.md",
        title="첫눈이 오던 아침",
        slug="first-snow",
        tags=("겨울", "편지"),
    ),
    Essay(
        name="2026-03-02-coffee.md",
        title='커피 & 책, "1 < 2"라는 말',
        slug="coffee",
        tags=("R & D",),
        text="값은 1 < 2 & 3 > 2다. `a<b && c` 같은 글자도 그대로 보인다.",
    ),
    Essay(
        name="2026-03-03-together.md",
        title="둘이서 쓴 글",
        slug="together",
        authors=("한미나", "박준"),
    ),
    Essay(
        name="2026-03-04-river.md",
        title="강가의 사진",
        slug="river",
        tags=("사진",),
        head="image: photos/강가.png\n",
        text="![강가](photos/강가.png) 물이 맑다.",
        shows=(f"{URL}media/{quote('photos/강가.png')}",),
    ),
    Essay(
        name="2026-03-05-before.md",
        title="지난 글을 다시 읽고",
        slug="before",
        text="[첫눈](2026-03-01-first-snow.md)과 [여기](#끝)와 [바깥](//other.example/x)을 본다.",
        shows=(f"{URL}posts/first-snow/",),
    ),
    Essay(
        name="2026-03-06-radio.md",
        title="라디오 첫 회",
        slug="radio",
        tags=("라디오",),
        head="enclosure: {url: 'https://cdn.example/1회.mp3', length: 48211, type: audio/mpeg}\n",
        attached=(
            Attached(
                url=f"https://cdn.example/{quote('1회.mp3')}",
                media_type="audio/mpeg",
                length=48211,
            ),
        ),
    ),
    Essay(
        name="2026-03-07-radio-2.md",
        title="라디오 둘째 회",
        slug="radio-2",
        tags=("라디오",),
        head="enclosure: sounds/둘째.mp3\n",
        attached=(
            Attached(
                url=f"{URL}media/{quote('sounds/둘째.mp3')}",
                media_type="audio/mpeg",
                length=len(SOUND),
            ),
        ),
    ),
    Essay(
        name="2026-03-08-느린-우편함.md",
        title="느린 우편함과 가족 👩‍👩‍👧",
        slug="느린-우편함",
        tags=("편지",),
    ),
)
EDITED = replace(
    ESSAYS[0],
    title="첫눈이 오던 아침 (고쳐 씀)",
    head="updated: 2026-03-20T20:00:00+09:00\n",
)
ADDED = Essay(name="2026-03-21-spring.md", title="봄이 온다", slug="spring")
AFTERWARDS = (EDITED, *ESSAYS[1:], ADDED)


def write_blog(site: Site) -> None:
    """Write the posts and their files, and build."""
    for essay in ESSAYS:
        site.post(essay.name, essay.source())
    for name, data in (("photos/강가.png", b"\x89PNG"), ("sounds/둘째.mp3", SOUND)):
        path = site.root / "posts" / name
        path.parent.mkdir()
        path.write_bytes(data)
    site.run("build", "--now", NOW)


def edit_blog(site: Site) -> None:
    """Give one post a new title, publish another, and build a day later."""
    for essay in (EDITED, ADDED):
        site.post(essay.name, essay.source())
    site.run("build", "--now", LATER)


def ids_by_name(site: Site) -> dict[str, str]:
    """The permanent id of each post file, as the ledger has it."""
    return {row["path"]: row["id"] for row in site.run("posts", "list", "--json").rows}
