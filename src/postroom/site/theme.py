"""The template engine of pages and letters: sandboxed, escaping, without dice or clock."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from postroom.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping


PLAIN = frozenset({str, int, bool, tuple, type(None), Markup})
"""Types of which a value is data whatever object it came from."""


FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What an expression of a site's own template may raise besides Jinja2's errors."""


MISSING = object()
OURS = f"{__name__.partition('.')[0]}."


_ours: dict[type, bool] = {}


def _is_ours(value: object) -> bool:
    """Whether its type is of this package: what its fields hold is meant to be shown."""
    kind = type(value)
    if kind not in _ours:
        _ours[kind] = kind.__module__.startswith(OURS)
    return _ours[kind]


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox with short ways for what is data: most of its cost on a page."""

    def getattr(self, obj: object, attribute: str) -> object:
        """Read a field of one of our own values, or ask the sandbox about it."""
        if _is_ours(obj) and not attribute.startswith("_"):
            value = getattr(obj, attribute, MISSING)
            if value is not MISSING:
                return value
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if type(value) in PLAIN:
            return not attr.startswith("_")
        return super().is_safe_attribute(obj, attr, value)


def build_environment(
    loader: jinja2.BaseLoader, compiled: jinja2.BytecodeCache | None = None
) -> jinja2.Environment:
    """Return the environment for every template; the shell hands in the loader.

    Post text is always a value, never a template; an undefined name is an error.
    `compiled` keeps templates as Python makes them, a third of a run with one change.
    """
    environment = _Sandbox(
        loader=loader,
        bytecode_cache=compiled,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    del environment.filters["random"]
    return environment


def render_template(
    environment: jinja2.Environment, name: str, values: Mapping[str, object]
) -> str:
    """Render `name`; raise TemplateError with the template's file name and line."""
    try:
        return environment.get_template(name).render(values)
    except jinja2.TemplateNotFound as error:
        raise TemplateError(
            f"templates/{error.name}: there is no such template"
        ) from None
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(
            f"templates/{error.name}:{error.lineno}: {error.message}"
        ) from None
    except jinja2.TemplateError as error:
        raise TemplateError(f"{_place(error, name)}: {error.message}") from None
    except FAULTS as error:
        fault = f"{type(error).__name__}: {error}"
        raise TemplateError(f"{_place(error, name)}: {fault}") from None


def _place(error: BaseException, name: str) -> str:
    """Name the deepest template frame of a failed rendering."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith((".html", ".txt", ".xml"))
    ]
    if not frames:
        return f"templates/{name}"
    short = frames[-1].filename.rpartition("templates/")[2]
    return f"templates/{short}:{frames[-1].lineno}"
