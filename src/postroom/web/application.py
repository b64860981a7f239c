"""What answers over HTTP, put together: the published files, with a log around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from postroom.web.access_log import AccessLog
from postroom.web.headers import build_policy
from postroom.web.published import Published
from postroom.web.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.config.sections import Config


def build_application(config: Config, clock_ns: Callable[[], int]) -> Starlette:
    """Return the application; `clock_ns` is the time in nanoseconds since 1970.

    The published files answer for every address that no route has.
    Raises ConfigError.
    """
    shelf = Shelf(str(config.output_folder), clock_ns)
    application = Starlette(middleware=[Middleware(AccessLog)])
    application.router.default = Published(shelf, build_policy(config))
    return application
