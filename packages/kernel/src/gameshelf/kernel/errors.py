"""How a use case refuses.

A refusal has a stable code; what it becomes on the wire (HTTP status, gRPC status, words in two languages) is decided
by whoever serves it.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar


class DependencyUnavailable(Exception):
    """Something that a use case needs did not answer, or could not serve just now: the same call may succeed later.

    Whoever serves the use case tells callers so, without the message of the error.
    """

    dependency: ClassVar[str]
    """Which one, as callers and operators know it, for example ``s3``."""


class DomainError(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str]
    """Stable and part of the contract, for example ``LIBRARY_ITEM_NOT_FOUND``."""

    def __init__(self, *, pointer: str | None = None, **meta: Any) -> None:
        """``pointer`` is the path of the field at fault, as in a ``Problem``; ``meta`` is context that the caller may
        see.
        """
        super().__init__(self.default_message())
        self.pointer = pointer
        self.meta = meta

    @classmethod
    def default_message(cls) -> str:
        """The first line of the class's docstring: the English message."""
        return (cls.__doc__ or DomainError.__doc__ or "").strip().partition("\n")[0]


class NotFound(DomainError):
    """There is no such resource."""

    code = "NOT_FOUND"


class PermissionDenied(DomainError):
    """You have no access to this."""

    code = "PERMISSION_DENIED"


MAX_ECHO = 64
"""How many code points of a name that a caller made up stand in an answer."""


def echo(name: str) -> str:
    """A caller's own words, cut for an answer; what has no encoding becomes a question mark."""
    cut = name if len(name) <= MAX_ECHO else name[: MAX_ECHO - 1] + "…"
    return cut.encode("utf-8", "replace").decode()


def pointer_step(step: str | int) -> str:
    """One step of a path into what a caller sent, with its slash and escaped as in RFC 6901: a key, cut by ``echo``, or
    an index.
    """
    return f"/{echo(str(step)).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    ``rule`` names the broken rule (such as ``string_too_long``) and ``params`` its values (``{"max_length": 100}``);
    at most one of ``pointer`` and ``parameter`` says where.
    """

    rule: str
    pointer: str | None = None
    """The path of the field in the command: names and indices, escaped as in RFC 6901, with slashes between them
    (``items/3/id``); empty for the command as a whole. Whoever serves the command knows where that stands in a request.
    """
    parameter: str | None = None
    """The parameter of a query."""
    params: dict[str, Any] = field(default_factory=dict)


class InvalidInput(DomainError):
    """The input breaks one or more rules."""

    code = "VALIDATION_ERROR"

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems
