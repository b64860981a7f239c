"""Alerts of GitHub and callouts of Obsidian: a block quote that begins with `[!NOTE]`.

The parser's own extension is quadratic on deep quotes, so they are named afterwards.
"""

from __future__ import annotations

import re

ALERT = re.compile(
    r"<blockquote>\n<p>\[!([A-Za-z]{2,20})\][+-]?[ \t]*([^\n<]*)(?:(?:<br>)?\n|(?=</p>))"
)
EMPTY_PARAGRAPH = re.compile(r'(<p class="alert-title">[^\n]*</p>\n)<p></p>\n?')

NAMES = {
    "note": "참고",
    "info": "참고",
    "tip": "팁",
    "important": "중요",
    "warning": "주의",
    "caution": "경고",
}
"""In Korean; other languages keep the author's English word."""


def name_alerts(html: str, language: str) -> str:
    """Return sanitised `html` with a title paragraph in place of each `[!NOTE]`."""
    if "[!" not in html:
        return html
    korean = language.lower().partition("-")[0] == "ko"

    def name(alert: re.Match[str]) -> str:
        kind = alert[1].lower()
        title = alert[2].strip() or (NAMES.get(kind) if korean else None)
        shown = title or kind.capitalize()
        return f'<blockquote>\n<p class="alert-title">{shown}</p>\n<p>'

    return EMPTY_PARAGRAPH.sub(r"\1", ALERT.sub(name, html))
