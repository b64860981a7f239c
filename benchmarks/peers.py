"""The sites that Hugo and Pelican build for `build.py`: pages with what ours have.

Templates here are as plain as those programs allow; each page holds the content of the
same page of ours, so that the comparison is of work, not of looks.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FRONT_MATTER = re.compile(r"---\ntitle: (.*)\ndate: (.*)\ntags: \[(.*)\]\n---\n")

HUGO = {
    "hugo.toml": """\
baseURL = "https://bench.example/"
title = "Bench"
languageCode = "ko"
defaultContentLanguage = "ko"
hasCJKLanguage = true
timeZone = "UTC"
[taxonomies]
  tag = "tags"
[pagination]
  pagerSize = 10
[services.rss]
  limit = 50
[markup.goldmark.renderer]
  unsafe = true
[permalinks]
  posts = "/posts/:contentbasename/"
""",
    "layouts/_default/baseof.html": """\
<!DOCTYPE html>
<html lang="{{ .Site.Language.Lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ .Title }} · {{ .Site.Title }}</title>
<meta name="description" content="{{ if .IsPage }}{{ .Summary | plainify | truncate 200 }}{{ else }}{{ .Site.Title }}{{ end }}">
<link rel="canonical" href="{{ .Permalink }}">
<meta property="og:site_name" content="{{ .Site.Title }}">
<meta property="og:title" content="{{ .Title }}">
<meta property="og:type" content="{{ if .IsPage }}article{{ else }}website{{ end }}">
<meta property="og:url" content="{{ .Permalink }}">
{{ range .AlternativeOutputFormats }}<link rel="{{ .Rel }}" type="{{ .MediaType.Type }}" href="{{ .Permalink }}" title="{{ $.Site.Title }}">
{{ end }}</head>
<body>
<a class="skip" href="#main">본문 바로가기</a>
<header><p class="name"><a href="{{ "/" | relURL }}">{{ .Site.Title }}</a></p>
<nav><ul><li><a href="{{ "/" | relURL }}">글</a></li><li><a href="{{ "/tags/" | relURL }}">주제</a></li><li><a href="{{ "/archive/" | relURL }}">모아 보기</a></li></ul></nav></header>
<main id="main">{{ block "main" . }}{{ end }}</main>
<footer><ul><li><a href="{{ "/index.xml" | relURL }}">RSS</a></li></ul></footer>
</body></html>
""",
    "layouts/_default/list.html": """\
{{ define "main" }}<h1>{{ .Title }}</h1><ol class="posts">
{{ $pages := .RegularPages }}{{ if eq .Kind "home" }}{{ $pages = where .Site.RegularPages "Section" "posts" }}{{ end }}{{ $p := .Paginate $pages }}
{{ range $p.Pages }}<li><article><time datetime="{{ .Date.Format "2006-01-02" }}">{{ .Date.Format "2006. 1. 2." }}</time>
{{ range first 1 (.GetTerms "tags") }}<a href="{{ .RelPermalink }}">{{ .LinkTitle }}</a>{{ end }}
<h2><a href="{{ .RelPermalink }}">{{ .Title }}</a></h2><p class="excerpt">{{ .Summary | plainify | truncate 200 }}</p><p class="more"><a href="{{ .RelPermalink }}" aria-label="{{ .Title }} 더보기">더보기</a></p></article></li>{{ end }}
</ol>{{ with $p }}<nav>{{ if .HasPrev }}<a href="{{ .Prev.URL }}">새 글</a>{{ end }}{{ if .HasNext }}<a href="{{ .Next.URL }}">지난 글</a>{{ end }}</nav>{{ end }}
{{ end }}
""",
    "layouts/_default/single.html": """\
{{ define "main" }}<article class="post">
<h1>{{ .Title }}</h1><time datetime="{{ .Date.Format "2006-01-02" }}">{{ .Date.Format "2006. 1. 2." }}</time>
{{ range .GetTerms "tags" }}<a href="{{ .RelPermalink }}">{{ .LinkTitle }}</a>{{ end }}
<div class="body">{{ .Content }}</div>
<nav>{{ with .PrevInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}{{ with .NextInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</nav>
</article>{{ end }}
""",
    "layouts/_default/terms.html": """\
{{ define "main" }}<h1>{{ .Title }}</h1><ul>{{ range .Data.Terms.Alphabetical }}<li><a href="{{ .Page.RelPermalink }}">{{ .Page.Title }}</a> {{ .Count }}</li>{{ end }}</ul>{{ end }}
""",
    "layouts/_default/archive.html": """\
{{ define "main" }}<h1>{{ .Title }}</h1>{{ range (where .Site.RegularPages "Section" "posts").GroupByDate "2006" }}<h2>{{ .Key }}</h2><ol>
{{ range .Pages }}<li><time datetime="{{ .Date.Format "2006-01-02" }}">{{ .Date.Format "1. 2." }}</time> <a href="{{ .RelPermalink }}">{{ .Title }}</a></li>
{{ end }}</ol>{{ end }}{{ end }}
""",
    "content/posts/_index.md": "---\nbuild:\n  render: never\n---\n",
    "content/archive.md": "---\ntitle: 모아 보기\nlayout: archive\n---\n",
}

PELICAN = {
    "conf.py": """\
from pelican import signals


class Neighbours:
    @staticmethod
    def register():
        signals.article_generator_finalized.connect(Neighbours.link)

    @staticmethod
    def link(generator):
        articles = generator.articles
        for newer, older in zip(articles, articles[1:]):
            newer.prev_article, older.next_article = older, newer


SITENAME = "Bench"
SITEURL = "https://bench.example"
AUTHOR = "Bench"
TIMEZONE = "UTC"
DEFAULT_LANG = "ko"
PATH = "content"
ARTICLE_PATHS = ["posts"]
THEME = "theme"
PLUGINS = [Neighbours]
DEFAULT_PAGINATION = 10
DIRECT_TEMPLATES = ["index", "tags", "archives"]
PAGINATED_TEMPLATES = {"index": None, "tag": None}
PAGINATION_PATTERNS = (
    (1, "{base_name}/", "{base_name}/index.html"),
    (2, "{base_name}/page/{number}/", "{base_name}/page/{number}/index.html"),
)
ARTICLE_URL = "posts/{slug}/"
ARTICLE_SAVE_AS = "posts/{slug}/index.html"
TAG_URL = "tags/{slug}/"
TAG_SAVE_AS = "tags/{slug}/index.html"
TAGS_SAVE_AS = "tags/index.html"
ARCHIVES_SAVE_AS = "archive/index.html"
AUTHOR_SAVE_AS = AUTHORS_SAVE_AS = CATEGORY_SAVE_AS = CATEGORIES_SAVE_AS = ""
FEED_DOMAIN = SITEURL
FEED_ALL_ATOM = "atom.xml"
FEED_ALL_RSS = "rss.xml"
TAG_FEED_ATOM = "tags/{slug}/atom.xml"
TAG_FEED_RSS = "tags/{slug}/rss.xml"
CATEGORY_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = TRANSLATION_FEED_ATOM = None
FEED_MAX_ITEMS = 50
RSS_FEED_SUMMARY_ONLY = False
CACHE_CONTENT = LOAD_CONTENT_CACHE = False
""",
    "theme/templates/base.html": """\
<!DOCTYPE html>
<html lang="{{ DEFAULT_LANG }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{% block title %}{{ SITENAME }}{% endblock %}</title>
<meta name="description" content="{% block about %}{{ SITENAME }}{% endblock %}">
<link rel="canonical" href="{{ SITEURL }}/{% block url %}{{ output_file|replace('index.html', '') }}{% endblock %}">
<meta property="og:site_name" content="{{ SITENAME }}">
<meta property="og:title" content="{{ self.title() }}">
<meta property="og:type" content="{% block kind %}website{% endblock %}">
<meta property="og:url" content="{{ SITEURL }}/{{ self.url() }}">
<link rel="alternate" type="application/atom+xml" href="{{ SITEURL }}/atom.xml" title="{{ SITENAME }}">
<link rel="alternate" type="application/rss+xml" href="{{ SITEURL }}/rss.xml" title="{{ SITENAME }}">
</head>
<body>
<a class="skip" href="#main">본문 바로가기</a>
<header><p class="name"><a href="/">{{ SITENAME }}</a></p>
<nav><ul><li><a href="/">글</a></li><li><a href="/tags/">주제</a></li><li><a href="/archive/">모아 보기</a></li></ul></nav></header>
<main id="main">{% block main %}{% endblock %}</main>
<footer><ul><li><a href="/atom.xml">Atom</a></li><li><a href="/rss.xml">RSS</a></li></ul></footer>
</body></html>
""",
    "theme/templates/index.html": """\
{% extends "base.html" %}
{% block main %}<h1>{% block heading %}글{% endblock %}</h1><ol class="posts">
{% for article in articles_page.object_list %}<li><article><time datetime="{{ article.date.date() }}">{{ article.date.strftime("%Y. %m. %d.") }}</time>
{% for tag in article.tags[:1] %}<a href="/{{ tag.url }}">{{ tag }}</a>{% endfor %}
<h2><a href="/{{ article.url }}">{{ article.title }}</a></h2><p class="excerpt">{{ article.summary|striptags|truncate(200) }}</p><p class="more"><a href="/{{ article.url }}" aria-label="{{ article.title }} 더보기">더보기</a></p></article></li>
{% endfor %}</ol>
<nav>{% if articles_page.has_previous() %}<a href="/{{ articles_previous_page.url }}">새 글</a>{% endif %}{% if articles_page.has_next() %}<a href="/{{ articles_next_page.url }}">지난 글</a>{% endif %}</nav>
{% endblock %}
""",
    "theme/templates/tag.html": """\
{% extends "index.html" %}
{% block title %}{{ tag }} · {{ SITENAME }}{% endblock %}
{% block heading %}주제: {{ tag }}{% endblock %}
""",
    "theme/templates/article.html": """\
{% extends "base.html" %}
{% block title %}{{ article.title }} · {{ SITENAME }}{% endblock %}
{% block about %}{{ article.summary|striptags|truncate(200) }}{% endblock %}
{% block url %}{{ article.url }}{% endblock %}
{% block kind %}article{% endblock %}
{% block main %}<article class="post">
<h1>{{ article.title }}</h1><time datetime="{{ article.date.date() }}">{{ article.date.strftime("%Y. %m. %d.") }}</time>
{% for tag in article.tags %}<a href="/{{ tag.url }}">{{ tag }}</a>{% endfor %}
<div class="body">{{ article.content }}</div>
<nav>{% if article.prev_article %}<a href="/{{ article.prev_article.url }}">{{ article.prev_article.title }}</a>{% endif %}{% if article.next_article %}<a href="/{{ article.next_article.url }}">{{ article.next_article.title }}</a>{% endif %}</nav>
</article>{% endblock %}
""",
    "theme/templates/tags.html": """\
{% extends "base.html" %}
{% block main %}<h1>주제</h1><ul>{% for tag, posts in tags|sort %}<li><a href="/{{ tag.url }}">{{ tag }}</a> {{ posts|count }}</li>{% endfor %}</ul>{% endblock %}
""",
    "theme/templates/archives.html": """\
{% extends "base.html" %}
{% block main %}<h1>모아 보기</h1>{% for year, members in dates|groupby("date.year")|sort(reverse=true) %}<h2>{{ year }}</h2><ol>
{% for article in members %}<li><time datetime="{{ article.date.date() }}">{{ article.date.strftime("%m. %d.") }}</time> <a href="/{{ article.url }}">{{ article.title }}</a></li>
{% endfor %}</ol>{% endfor %}{% endblock %}
""",
}


def make_hugo(root: Path, posts: Path) -> None:
    """Write Hugo's site; it reads the very files that ours has."""
    _write(root, HUGO)
    for post in posts.iterdir():
        os.link(post, root / "content" / "posts" / post.name)


def make_pelican(root: Path, posts: Path) -> None:
    """Write Pelican's site; it reads the same bodies under its own header."""
    _write(root, PELICAN)
    folder = root / "content" / "posts"
    folder.mkdir(parents=True)
    for post in posts.iterdir():
        text = post.read_text(encoding="utf-8")
        head = r"Title: \1\nDate: \2\nTags: \3\nSlug: " + post.stem + "\n"
        text = FRONT_MATTER.sub(head, text, count=1)
        (folder / post.name).write_text(text, encoding="utf-8")


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
