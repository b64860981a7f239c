"""Posts and sites that the tests of pages share; all words are our own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pytest

from postroom.posts.post import Image, Person, Post
from postroom.site.info import SiteInfo
from postroom.site.theme import build_environment
from tests.site.holdings import make_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Build = Callable[..., dict[str, str]]
    MakePost = Callable[..., Post]

TEMPLATES = Path(__file__).parents[2] / "templates"
SEOUL = timezone(timedelta(hours=9), "Asia/Seoul")
FEEDS = (
    ("Atom", "atom.xml", "application/atom+xml"),
    ("RSS", "rss.xml", "application/rss+xml"),
    ("JSON Feed", "feed.json", "application/feed+json"),
)

KOREAN_BODY = """\
<p>바람이 센 날에는 다리 위에서 자전거를 끌고 걷는다. <em>서두르지 않는다</em>는 것은 늦게 가겠다는 뜻이 아니라 \
끝까지 가겠다는 뜻이다.<sup class="footnote-ref"><a href="#fn-1" id="fnref-1">1</a></sup></p>
<h2 id="준비물">준비물</h2>
<ul><li>장갑과 여벌 튜브</li><li>물 한 병, <code>GPX</code> 파일</li></ul>
<p><img src="../../media/bridge.svg" alt="강을 건너는 긴 다리" width="1200" height="500" loading="lazy"></p>
<blockquote><p>지도는 길을 보여 주지만 바람은 보여 주지 않는다.</p></blockquote>
<h3>얼마나 걸리나</h3>
<table><thead><tr><th>구간</th><th align="right">거리(km)</th><th align="right">걸린 시간</th><th>메모</th></tr></thead>
<tbody><tr><td>집에서 나루터</td><td align="right">7.5</td><td align="right">0:25</td><td>내리막이 많아 편하다</td></tr>
<tr><td>나루터에서 보</td><td align="right">18.2</td><td align="right">1:05</td><td>맞바람</td></tr></tbody></table>
<pre><code class="language-python"><span class="k">def</span> <span class="nf">headwind</span><span class="p">(</span>\
<span class="n">speed</span><span class="p">:</span> <span class="nb">float</span><span class="p">,</span> <span class="n">angle</span><span class="p">:</span> \
<span class="nb">float</span><span class="p">)</span> <span class="o">-&gt;</span> <span class="nb">float</span><span class="p">:</span>
    <span class="sd">&quot;&quot;&quot;맞바람이 되는 몫.&quot;&quot;&quot;</span>
    <span class="c1"># 각도는 도 단위이고, 0도가 정면이다. 이 줄은 전화기 화면보다 훨씬 길어서 옆으로 밀어야 끝까지 보인다.</span>
    <span class="k">return</span> <span class="n">speed</span> <span class="o">*</span> <span class="n">cos</span><span class="p">(</span>\
<span class="n">radians</span><span class="p">(</span><span class="n">angle</span><span class="p">))</span> <span class="o">+</span> <span class="mf">0.5</span>
</code></pre>
<p>돌아오는 길은 늘 더 짧게 느껴진다. 자세한 것은 <a href="../rain/">비 오는 날의 글</a>에 적었다.</p>
<section class="footnotes"><ol><li id="fn-1"><p>이 말은 오래 탄 이웃에게 들었다. \
<a href="#fnref-1" class="footnote-backref">↩</a></p></li></ol></section>
"""

KOREAN_TEXTS = (
    ("river", "강을 따라 예순 킬로미터", ("자전거", "여행"),
     "바람이 센 날에는 다리 위에서 자전거를 끌고 걷는다. 서두르지 않는다는 것은 늦게 가겠다는 뜻이 아니라 끝까지 가겠다는 뜻이다. 지난가을에 강을 따라 예순 킬로미터를 달리며 적어 둔 것들을 옮긴다."),
    ("rain", "비 오는 날의 정비", ("자전거",),
     "비가 오면 체인부터 닦는다. 닦으면서 지난 한 주 동안 무엇을 미뤘는지 생각한다. 미룬 일은 대개 십 분이면 끝나는 일이었고, 미루는 동안 쓴 마음이 더 비쌌다."),
    ("kitchen-notes", "Sourdough 굽기와 온도 기록", ("부엌",),
     "반죽은 숫자를 좋아한다. 물의 온도, 방의 온도, 발효 시간(Bulk Fermentation)을 적어 두면 다음 주의 내가 고마워한다. 세 번 구운 기록을 나란히 놓고 무엇이 달랐는지 본다."),
    ("library", "동네 도서관에서 보낸 겨울", ("책", "생각"),
     "난방이 잘되는 열람실 끝자리에는 늘 같은 사람이 앉아 있었다. 우리는 한 번도 말을 나누지 않았지만, 겨울이 끝날 무렵에는 서로의 책을 알아볼 수 있었다."),
    ("letters", "손으로 쓴 편지가 도착하기까지", ("생각",),
     "우체통에 넣은 뒤의 일은 내 손을 떠난다. 그래서 편지는 쓰는 동안에 다 끝나는 일이다."),
    ("plain-english", "Notes on writing plainly", ("책",),
     "Short words carry more than they seem to. I kept a list of every sentence I had to read twice, and most of them were mine."),
    ("market", "시장의 저녁", ("부엌", "여행"),
     "문 닫기 한 시간 전의 시장은 다른 곳이 된다. 값이 내려가고 말이 길어진다. 남은 나물을 한데 묶어 파는 할머니에게서 무치는 법을 배웠다."),
    ("winter-light", "[기록] 해가 가장 짧은 날", ("생각",),
     "네 시 반이면 창이 어두워진다. 전등을 켜기 전에 잠깐 아무것도 하지 않는 시간을 두기로 했다."),
)  # fmt: skip


@pytest.fixture(scope="session")
def environment() -> jinja2.Environment:
    """The package's own templates."""
    return build_environment(jinja2.FileSystemLoader(TEMPLATES))


@pytest.fixture(scope="session")
def make_post() -> Callable[..., Post]:
    """A function that returns a post; every value may be given by name."""

    def make(slug: str = "first", **values: Any) -> Post:
        published = values.get("published", datetime(2024, 11, 2, 3, tzinfo=UTC))
        folder = "posts/" if published else ""
        return Post(
            **{
                "path": f"{slug}.md",
                "title": f"Title of {slug}",
                "published": published,
                "updated": None,
                "expires": None,
                "draft": False,
                "slug": slug,
                "url_path": f"{folder}{slug}/",
                "language": "en",
                "tags": (),
                "authors": (),
                "excerpt": f"What {slug} says.",
                "html": "",
                "page_html": f"<p>What {slug} says.</p>\n",
                "text": "",
                "image": None,
                "subject": "",
                "preheader": "",
                "canonical_url": "",
                "id": "",
                "mailed": True,
                "digest": "",
                **values,
            }
        )

    return make


@pytest.fixture(scope="session")
def english_site() -> SiteInfo:
    """A site in English, without a web part."""
    return SiteInfo(
        title="Slow Notes",
        url="https://notes.example/",
        description="Things written down before they were forgotten",
        language="en",
        author="Robin Example",
        zone=UTC,
        feeds=FEEDS,
    )


@pytest.fixture(scope="session")
def korean_site() -> SiteInfo:
    """A site in Korean under a sub-path, with a sign-up form."""
    return SiteInfo(
        title="느린 바퀴",
        url="https://example.kr/blog/",
        description="자전거와 부엌과 책에 대한 기록",
        language="ko",
        author="김바퀴",
        zone=SEOUL,
        feeds=FEEDS,
        link_url="https://letters.example.kr/",
    )


@pytest.fixture(scope="session")
def korean_posts(make_post: Callable[..., Post]) -> list[Post]:
    """Eight essays, newest first; the first has everything a body can have."""
    newest = datetime(2024, 11, 2, 0, 30, tzinfo=UTC)
    posts = [
        make_post(
            slug,
            title=title,
            tags=tags,
            excerpt=excerpt,
            page_html=KOREAN_BODY if number == 0 else f"<p>{excerpt}</p>\n",
            language="en" if slug == "plain-english" else "ko",
            published=newest - timedelta(days=47 * number),
        )
        for number, (slug, title, tags, excerpt) in enumerate(KOREAN_TEXTS)
    ]
    picture = Image(url="https://example.kr/blog/media/bridge.svg", alt="긴 다리")
    return [
        make_post(
            "river",
            **{
                **{
                    name: getattr(posts[0], name)
                    for name in ("title", "tags", "excerpt")
                },
                "page_html": KOREAN_BODY,
                "language": "ko",
                "published": newest,
                "updated": newest + timedelta(days=3),
                "image": picture,
                "authors": (Person(name="김바퀴"), Person(name="이페달")),
            },
        ),
        *posts[1:],
    ]


@pytest.fixture(scope="session")
def korean_pages(make_post: Callable[..., Post]) -> list[Post]:
    """One page without a date."""
    return [
        make_post(
            "about",
            title="이 기록에 대하여",
            language="ko",
            published=None,
            excerpt="왜 적는가.",
            page_html="<p>왜 적는가. 잊기 때문이다.</p>\n",
        )
    ]


@pytest.fixture(scope="session")
def build(environment: jinja2.Environment) -> Build:
    """A function that builds a site and returns text by path."""

    def run(
        site: SiteInfo, posts: Sequence[Post], pages: Sequence[Post] = ()
    ) -> dict[str, str]:
        made = list(make_pages(site, posts, pages, environment))
        assert len({file.path for file in made}) == len(made)
        return {file.path: file.data.decode() for file in made}

    return run


@pytest.fixture(scope="session")
def korean(
    build: Build,
    korean_site: SiteInfo,
    korean_posts: list[Post],
    korean_pages: list[Post],
) -> dict[str, str]:
    """The Korean site, built."""
    return build(korean_site, korean_posts, korean_pages)


@pytest.fixture(scope="session")
def many(build: Build, english_site: SiteInfo, make_post: MakePost) -> dict[str, str]:
    """An English site of 25 posts in two topics, built."""
    newest = datetime(2024, 11, 2, tzinfo=UTC)
    posts = [
        make_post(
            f"p{n}", published=newest - timedelta(days=40 * n), tags=("All", "all")
        )
        for n in range(25)
    ]
    return build(replace(english_site, topic_feeds=True), posts)
