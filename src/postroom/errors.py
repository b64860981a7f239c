"""Every error raised on purpose, with what the operator can do about it.

`exit_code` is what the command line ends with (design: 1 needs a person,
2 usage or configuration, 75 try again later). Errors print as
`where: what (how to mend it)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong at one place of one file.

    `line` and `column` count from 1; 0 means that the place is the whole file.
    """

    path: str
    line: int = 0
    column: int = 0
    message: str
    cure: str = ""

    def __str__(self) -> str:
        place = self.path
        if self.line:
            place += f":{self.line}:{max(self.column, 1)}"
        return f"{place}: {self.message}" + (f", {self.cure}" if self.cure else "")


class PostroomError(Exception):
    """What went wrong and, in `cure`, how to mend it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what} ({self.cure})" if self.cure else self.what


class PostError(PostroomError):
    """One post cannot be published; all others can.

    Not a ValueError: python-frontmatter swallows those.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, cure=problem.cure)
        self.problem = problem

    def __str__(self) -> str:
        return str(self.problem)


class ConfigError(PostroomError):
    """postroom.toml, an environment variable or an option is not usable."""

    exit_code = 2


class TemplateError(PostroomError):
    """A template of the site or of the package cannot be rendered."""

    exit_code = 2


class LockHeldError(PostroomError):
    """Another run works on this site; try again later."""

    exit_code = 75


class LedgerMissingError(PostroomError):
    """The site has state, but its database is gone: sending could mail twice."""

    exit_code = 2


class LedgerDamagedError(PostroomError):
    """The database fails its integrity check, or is of a newer version."""

    exit_code = 2


class LedgerRolledBackError(PostroomError):
    """The database is older than the last run: it came back from a copy."""

    exit_code = 2


class StoreBusyError(PostroomError):
    """Another process holds the database; try again later."""

    exit_code = 75


class StoreFullError(PostroomError):
    """No space is left for the database; nothing of the last step was written."""

    exit_code = 75


class StoreUnusableError(PostroomError):
    """The database, or a file beside it, cannot be read or written at all."""

    exit_code = 2


class LedgerUnbalancedError(PostroomError):
    """An edition's audience is not the sum of its deliveries' states."""


class RelayAwayError(PostroomError):
    """The relay cannot be reached now; nothing was marked, try again later."""

    exit_code = 75


class RelayRefusedError(PostroomError):
    """The relay refuses us (login, certificate, sender): ours to mend."""

    exit_code = 2


class AddressError(PostroomError):
    """Not an address that mail can be sent to."""

    exit_code = 2


class TableError(PostroomError):
    """A table of subscribers cannot be read."""

    exit_code = 2


class UnknownSubscriberError(PostroomError):
    """No subscriber has that address."""

    exit_code = 2


class UnknownEditionError(PostroomError):
    """No edition has that key."""

    exit_code = 2


class MessageUnsafeError(PostroomError):
    """A message would not say what it should: a header field too many, a link too few."""


class DkimKeyError(PostroomError):
    """The key that signs letters, its domain or its selector is not usable."""

    exit_code = 2


class SourceError(PostroomError):
    """A feed or an export to import cannot be read, or not safely."""


class SourceAwayError(PostroomError):
    """The server of a feed to import does not answer now; try again later."""

    exit_code = 75
