"""Posts, settings and letters that several tests of mail start from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

from postroom.mail.letter import Letter, LetterSettings, render_letter
from postroom.mail.message import Recipient, Sender
from postroom.posts.post import Image, Person, Post
from postroom.site.theme import build_environment
from postroom.subscribers.subscriber import Cadence

ENVIRONMENT = build_environment(
    jinja2.FileSystemLoader(Path(__file__).parents[2] / "templates")
)
SEOUL = ZoneInfo("Asia/Seoul")
SLOT = datetime(2026, 11, 23, 8, tzinfo=SEOUL)
SETTINGS = LetterSettings(
    site_title="느린 우편함",
    site_url="https://blog.example/",
    language="ko",
    zone=SEOUL,
    cadence=Cadence.WEEKLY,
    edition="weekly-20261123T0800",
    slot=SLOT,
    author="한미나",
    postal_address="서울시 어느 언덕길 4\n04524",
    view_url="https://blog.example/editions/weekly-20261123T0800/",
    feed_url="https://blog.example/atom.xml",
)
EDITION = "weekly-20261123T0800"
DATE = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
SENDER = Sender(
    from_="느린 우편함 <letters@blog.example>",
    reply_to="",
    site_title="느린 우편함",
    site_url="https://blog.example/",
    link_url="https://blog.example/",
    postal_address="",
    secret=SECRET,
)
RECIPIENT = Recipient(subscriber_id=7, email="minji@reader.example", name="김민지")
KOREAN = [
    ("네 시의 우편함", "언덕 끝의 우편함은 하루에 한 번 열린다. 그 전까지는 몇 시에 넣은 편지든 똑같이 네 시를 기다린다."),
    ("R&D 부서에 보내는 편지", "실험이 실패한 날에도 기록은 남는다. 기록이 남으면 다음 사람은 다른 곳에서 실패할 수 있다."),
    ("Unicode 노트", "글자를 세는 일은 생각보다 어렵다. 보이는 글자와 저장된 글자가 다르기 때문이다."),
]  # fmt: skip
ENGLISH = [
    ("A letter is a promise", "Whoever signs up has been promised three things: to get what was asked for, once, and to be left alone afterwards."),
    ("The word “unsubscribe”", "It should be as easy to find as the title. A reader who cannot leave will press the other button."),
    ("What a feed owes its reader", "Ids that never change, dates that do not lie, and the same bytes when nothing happened."),
]  # fmt: skip


def post(number: int, language: str = "ko") -> Post:
    """One of six posts over and over, each a day older than the one before."""
    title, excerpt = (KOREAN if language == "ko" else ENGLISH)[number % 3]
    return Post(
        path=f"{number}.md",
        title=title if number < 3 else f"{title} ({number})",
        published=SLOT - timedelta(days=number, hours=1, minutes=5 * number),
        updated=None,
        expires=None,
        draft=False,
        slug=f"post-{number}",
        url_path=f"posts/post-{number}/",
        language=language,
        tags=(),
        authors=(Person(name="한미나" if language == "ko" else "Mina Han"),),
        excerpt=f"{excerpt} {excerpt}",
        html=f'<p>{excerpt}</p>\n<h2>둘</h2>\n<pre><code class="language-python">'
        "print(&quot;안녕&quot;)\n</code></pre>\n<p><em>끝</em></p>\n",
        page_html="",
        text=f'{excerpt}\n\n둘\n\n    print("안녕")\n\n끝',
        image=Image(url="https://blog.example/media/box.png", alt="초록 우편함")
        if number == 0
        else None,
        subject="",
        preheader="",
        canonical_url="",
        id="",
        mailed=True,
        digest="",
    )  # fmt: skip


def golden_letters() -> dict[str, Letter]:
    """Every letter that is compared byte for byte, by name."""
    made = {}
    for language in ("ko", "en"):
        settings = replace(SETTINGS, language=language)
        posts = [post(number, language) for number in range(5)]
        made[f"several-{language}"] = render_letter(posts, settings, ENVIRONMENT)
        short = replace(settings, max_posts=2, view_url="", feed_url="")
        made[f"rest-{language}"] = render_letter(posts, short, ENVIRONMENT)
        at_once = replace(settings, cadence=Cadence.IMMEDIATE)
        made[f"one-{language}"] = render_letter(posts[:1], at_once, ENVIRONMENT)
    return made
