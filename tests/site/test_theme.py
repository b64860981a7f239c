"""The template engine: escaping, sandboxed, and exact about what is wrong where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
import pytest

from postroom.errors import TemplateError
from postroom.site.theme import build_environment, render_template

if TYPE_CHECKING:
    from pathlib import Path


def _render(text: str, **values: object) -> str:
    environment = build_environment(jinja2.DictLoader({"site/a.html": text}))
    return render_template(environment, "site/a.html", values)


def test_values_are_escaped() -> None:
    """Post text is a value, never markup and never a template."""
    assert _render("<b>{{ a }}</b>", a="<i>{{ 7 * 7 }}") == (
        "<b>&lt;i&gt;{{ 7 * 7 }}</b>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ a.__class__.__mro__ }}",
        "{{ a.__doc__ }}",
        "{{ a['__class__'] }}",
        "{{ ''.format.__self__ }}",
        "{{ b.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(a) }}",
    ],
)
def test_templates_stay_in_the_sandbox(text: str) -> None:
    """No way leads from a value to what Python keeps behind it, nor to a change of it."""
    with pytest.raises(TemplateError):
        _render(text, a="text", b=[])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\n{{ nothing }}", "site/a.html:2"),
        ("\n\n{% if %}", "site/a.html:3"),
        ("\n{{ 1 // a }}", "site/a.html:2"),
        ("\n{{ '{x}'.format(y=1) }}", "site/a.html:2"),
        ('{% extends "site/none.html" %}', "site/none.html: there is no such"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, fault: str, tmp_path: Path) -> None:
    """Whatever a site's own template does wrong, its author learns file and line."""
    template = tmp_path / "templates" / "site" / "a.html"
    template.parent.mkdir(parents=True)
    template.write_text(text, encoding="utf-8")
    loader = jinja2.FileSystemLoader(tmp_path / "templates")
    with pytest.raises(TemplateError, match=r"^templates/site/") as caught:
        render_template(build_environment(loader), "site/a.html", {"a": 0})
    assert fault in str(caught.value)
