"""The errors of use cases.

An error has a stable code. The server of a use case decides how it is sent: the HTTP or gRPC status, and the text in
two languages.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar


class DependencyUnavailable(Exception):
    """A dependency of a use case did not answer, or could not serve: the same call may succeed later.

    The server of the use case reports that to its client, without the message of the error.
    """

    dependency: ClassVar[str]
    """The name of the dependency for clients and operators, for example ``s3``."""


class DomainError(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str]
    """Stable and part of the contract, for example ``LIBRARY_ITEM_NOT_FOUND``."""

    def __init__(self, *, pointer: str | None = None, **meta: Any) -> None:
        """``pointer`` is the path of the wrong field, as in a ``Problem``; ``meta`` is context for the client."""
        super().__init__(self.default_message())
        self.pointer = pointer
        self.meta = meta

    @classmethod
    def default_message(cls) -> str:
        """Returns the English message: the first line of the class's docstring."""
        return (cls.__doc__ or DomainError.__doc__ or "").strip().partition("\n")[0]


class ResourceNotFound(DomainError):
    """There is no such resource."""

    code = "NOT_FOUND"


class PermissionDenied(DomainError):
    """You have no access to this."""

    code = "PERMISSION_DENIED"


MAX_ECHO = 64
"""The maximum number of code points of a client's text that an answer repeats."""


def echo(name: str) -> str:
    """Returns a client's text, shortened for an answer. Characters without an encoding become question marks."""
    cut = name if len(name) <= MAX_ECHO else name[: MAX_ECHO - 1] + "…"
    return cut.encode("utf-8", "replace").decode()


def pointer_step(step: str | int) -> str:
    """Returns one step of a path into a client's document: a slash and a key, shortened by ``echo``, or an index. It is
    escaped as in RFC 6901.
    """
    return f"/{echo(str(step)).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in an input.

    ``rule`` names the broken rule (such as ``string_too_long``) and ``params`` its values (``{"max_length": 100}``);
    at most one of ``pointer`` and ``parameter`` has the place.
    """

    rule: str
    pointer: str | None = None
    """The path of the field in the command: names and indices, escaped as in RFC 6901, with slashes between them
    (``items/3/id``); empty for the whole command. The server of the command knows its place in a request.
    """
    parameter: str | None = None
    """The name of a query parameter."""
    params: dict[str, Any] = field(default_factory=dict)


class InvalidInput(DomainError):
    """The input breaks one or more rules."""

    code = "VALIDATION_ERROR"

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems
