"""Miniature blogs in temporary folders, in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

POST = "---\ntitle: {title}\ndate: {day}\n---\n\n{title}에 대하여 쓴다.\n"


def make_blog(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files` below `root` and return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def post(title: str = "첫눈", day: str = "2024-03-05") -> str:
    """A post with front matter."""
    return POST.format(title=title, day=day)


HUGO = {
    "hugo.toml": """
baseURL = "https://garden.example/notes"
title = "뜰의 공책"
defaultContentLanguage = "ko"
timeZone = "Asia/Seoul"
[params]
description = "흙과 비와 씨앗"
[params.author]
name = "한미나"
[permalinks]
posts = "/:year/:month/:slug/"
""",
    "content/about.md": "# 소개\n",
    "content/posts/_index.md": "---\ntitle: 글\n---\n",
    "content/posts/first-snow.md": post(),
    "content/posts/rain/index.md": post("비", "2024-04-06"),
}
JEKYLL = {
    "_config.yml": """
# 우리 블로그
title: 부엌 일기
url: "https://kitchen.example"
baseurl: /diary
lang: ko
timezone: Asia/Seoul
description: >-
  된장과 간장,
  그리고 기다림
author:
  name: 오수진
  email: sujin@kitchen.example
permalink: pretty
kramdown:
  hard_wrap: true
""",
    "_posts/2024-03-05-first-soup.md": "---\ntitle: 첫 국\ncategories: soup winter\n---\n국.\n",
    "_posts/2024-04-06-Spring-Herbs.markdown": "---\ntitle: 봄나물\n---\n나물.\n",
}
PELICAN = {
    "pelicanconf.py": """
import os
AUTHOR = 'Dana Reed'
SITENAME = "Slow River"
SITEURL = ""
PATH = "content"
TIMEZONE = 'Europe/Vienna'
DEFAULT_LANG = 'en'
ARTICLE_URL = 'essays/{date:%Y}/{slug}/'
OUTPUT_PATH = os.environ["OUTPUT"]
THEME = open("/nowhere").read()
""",
    "publishconf.py": 'from pelicanconf import *\nSITEURL = "https://river.example"\n',
    "content/first-ice.md": "Title: First Ice, at last\nDate: 2024-03-05\n\nIce.\n",
    "content/pages/about.md": "Title: About\n\nMe.\n",
}
ELEVENTY = {
    "package.json": '{"devDependencies": {"@11ty/eleventy": "^3.0.0"}}',
    "eleventy.config.js": """
export default function (config) {
  // input: "nowhere"
  return { dir: { input: "src", output: "dist" } };
}
""",
    "src/_data/metadata.js": """
export default {
  title: "Paper Boats",
  url: "https://boats.example/",
  language: "en",
  description: "Folding, mostly.",
  author: { name: "Ida Falk", email: "ida@boats.example" },
};
""",
    "src/blog/blog.11tydata.js": 'module.exports = { permalink: "/{{ page.date | x }}/" };',
    "src/blog/2024-03-05-first-fold.md": post("First fold"),
}
ASTRO = {
    "astro.config.mjs": """
import { defineConfig } from 'astro/config';
// site: 'https://template.example',
export default defineConfig({
  site: 'https://lamp.example',
  base: '/en',
});
""",
    "src/consts.ts": """
export const SITE_TITLE = 'The Reading Lamp';
export const SITE_DESCRIPTION = 'Notes in the margin.';
""",
    "src/pages/blog/[...slug].astro": "const posts = await getCollection('blog');\n",
    "src/pages/index.astro": "<html></html>\n",
    "src/content/blog/First Light.md": post("First light"),
}
OBSIDIAN = {
    ".obsidian/app.json": '{"attachmentFolderPath": "Files", "strictLineBreaks": false}',
    ".obsidian/templates.json": '{"folder": "Blog/Templates"}',
    ".obsidian/daily-notes.json": '{"folder": "Daily"}',
    "Blog/첫눈.md": post(),
    "Blog/Templates/post.md": "---\ntitle: {{title}}\n---\n",
    "Daily/2024-03-05.md": "비밀.\n",
}
BLOGS = {
    "hugo": HUGO,
    "jekyll": JEKYLL,
    "pelican": PELICAN,
    "eleventy": ELEVENTY,
    "astro": ASTRO,
    "obsidian": OBSIDIAN,
}
