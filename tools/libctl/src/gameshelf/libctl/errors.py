"""The errors that end a command, for scripts and people."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes, on which scripts may rely; the README has the table."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    PRECONDITION = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130
    TERMINATED = 143


class Refused(Exception):
    """Ends a command with ``exit_code``. ``message`` says what happened, ``hint`` what to try next.

    Neither holds a secret; both may hold user text, which is made harmless where they are printed.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    code: ClassVar[str] = "FAILED"

    def __init__(self, message: str, hint: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
        self.reason = code or self.code
        """A code of the contract where the service gave one, else that of the class."""


class Usage(Refused):
    """The command line can't be understood, or two of its parts contradict each other."""

    exit_code = ExitCode.USAGE
    code = "USAGE"


class NothingFound(Refused):
    """The requested object does not exist."""

    exit_code = ExitCode.NOT_FOUND
    code = "NOT_FOUND"


class Precondition(Refused):
    """The state isn't the one that was expected: somebody else was faster, or something has to be done first."""

    exit_code = ExitCode.PRECONDITION
    code = "PRECONDITION"


class Unavailable(Refused):
    """A server can't be reached, or doesn't answer."""

    exit_code = ExitCode.UNAVAILABLE
    code = "UNAVAILABLE"


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the same way out as Ctrl-C, with a code of its own."""
