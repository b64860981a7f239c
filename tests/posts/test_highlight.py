"""Code is coloured by classes on pages and inline in letters, and is never changed."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape

import pytest

from postroom.posts.highlight import LETTER_LIMIT, PAGE_LIMIT, highlight_code


def block(code: str, language: str = "python") -> str:
    """Return sanitised HTML with one block of code."""
    return f'<pre><code class="language-{language}">{code}</code></pre>'


def test_pages_get_classes() -> None:
    """The stylesheet, light or dark, decides the colours."""
    html = highlight_code(block("def f(): pass\n"), inline=False)
    assert html.startswith('<pre class="highlight"><code class="language-python">')
    assert '<span class="k">def</span>' in html
    assert "style=" not in html


def test_letters_get_inline_styles() -> None:
    """Mail clients know no stylesheet for code."""
    html = highlight_code(block("def f(): pass\n"), inline=True)
    assert 'style="color: #' in html
    assert "<span class=" not in html


@pytest.mark.parametrize("inline", [True, False])
def test_colours_do_not_change_the_code(inline: bool) -> None:  # noqa: FBT001 - both forms
    """Blanks, empty lines and special characters stay."""
    code = '\n\n  if a &lt; b &amp;&amp; c:\n\n\treturn "한글"  \n'
    html = highlight_code(block(code), inline=inline)
    assert unescape(re.sub("<[^>]*>", "", html)).rstrip("\n") == unescape(code).rstrip(
        "\n"
    )


@pytest.mark.parametrize(
    "html", [block("x", "nosuch"), "<pre><code>x</code></pre>", "<p>x</p>"]
)
def test_unknown_code_is_untouched(html: str) -> None:
    """Also code without a language."""
    assert highlight_code(html, inline=False) == html


def test_long_code_keeps_its_size() -> None:
    """A letter is clipped at 102 kB, and lexers are slow on foreign text."""
    for limit, inline in ((LETTER_LIMIT, True), (PAGE_LIMIT, False)):
        html = block("x = 1\n" * (limit // 6 + 1))
        assert highlight_code(html, inline=inline) == html


def test_pygments_is_loaded_for_code_only() -> None:
    """A site without code does not pay for it."""
    script = (
        "import sys\n"
        "from postroom.posts.highlight import highlight_code\n"
        "highlight_code('<p>x</p>', inline=False)\n"
        "sys.exit('pygments' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
