"""The first post of a new site, in Korean or English."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

KOREAN_TITLE = "첫 편지"
KOREAN = """\
---
title: {title}
date: {day}
tags: [시작]
---

이 글은 `{path}`에 있는 파일 하나다. 고쳐 써도 되고, 지우고 새로 써도 된다.

글을 저장하고 `postroom build`를 부르면 피드와 쪽이 `public/`에 생긴다. 처음 공개된 글은 그때
영원히 바뀌지 않을 이름표를 받는다. 그래서 나중에 제목이나 주소를 고쳐도, 읽은 사람에게 같은 글이 두 번
가지 않는다.

<!--more-->

## 그다음

- `postroom check`는 무엇이 잘못되었는지, 어느 줄을 어떻게 고치면 되는지 말해 준다.
- `postroom subscribers add minji@reader.example --confirmed`는 독자 한 사람을 적어 둔다.
- `postroom publish`는 글을 편지로 묶어 보낸다. 처음에는 `outbox/`에 파일로 놓일 뿐이다.
"""

ENGLISH_TITLE = "A first letter"
ENGLISH = """\
---
title: {title}
date: {day}
tags: [beginnings]
---

This post is one file, `{path}`. Write over it, or delete it and begin another.

Save it, run `postroom build`, and feeds and pages appear under `public/`. A post that is
public for the first time is given an id that never changes again. So you may mend its title
or move its file later, and nobody who has read it will be shown it twice.

<!--more-->

## What next

- `postroom check` says what is wrong with a post, on which line, and how to mend it.
- `postroom subscribers add minji@reader.example --confirmed` notes down a reader.
- `postroom publish` gathers posts into letters; at first they only lie in `outbox/` as files.
"""


def is_korean(language: str) -> bool:
    """Whether the sample is the Korean one."""
    return language.lower().partition("-")[0] == "ko"


def render_sample(language: str, day: date) -> tuple[str, str]:
    """Return path, relative to the site, and text of a first post of `day`."""
    korean = is_korean(language)
    title, text = (KOREAN_TITLE, KOREAN) if korean else (ENGLISH_TITLE, ENGLISH)
    path = f"posts/{day:%Y-%m-%d}-{title.lower().replace(' ', '-')}.md"
    return path, text.format(title=title, day=f"{day:%Y-%m-%d}", path=path)
