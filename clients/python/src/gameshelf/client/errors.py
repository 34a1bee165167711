"""What a call raises. All of it is a ``LibraryError``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class LibraryError(Exception):
    """A call has no result."""


@dataclass(frozen=True, slots=True)
class LibraryProblem:
    """One entry of a refusal."""

    code: str
    """Stable; docs/errors.md lists all of them."""
    title: str = ""
    detail: str = ""
    """For a person, in the language of the client."""
    pointer: str = ""
    """The field of the body, as a JSON pointer."""
    parameter: str = ""
    """The parameter of the query."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Values that a program needs to handle it, such as ``reason`` or ``current``."""


class LibraryRefusal(LibraryError):
    """The service has answered that it does not do it. The first problem is the refusal's own."""

    def __init__(
        self,
        status: int,
        problems: Sequence[LibraryProblem],
        headers: Mapping[str, str] | None = None,
        *,
        is_repeated: bool = False,
    ) -> None:
        first = problems[0]
        super().__init__(f"{first.code}: {first.detail}" if first.detail else first.code)
        self.status, self.problems, self.headers = status, tuple(problems), headers or {}
        self.request_id = self.headers.get("X-Request-ID", "")
        self.code, self.detail, self.pointer, self.meta = first.code, first.detail, first.pointer, first.meta
        self.is_repeated = is_repeated
        """Whether the answer to an earlier try of the same call was lost: the call may have been applied by it."""


class LibraryUnreachable(LibraryError):
    """The service cannot be reached, or asks for patience: try again later.

    A POST that is tried again with the same key is applied once.
    """

    def __init__(self, reason: str, retry_after: float | None = None, refusal: LibraryRefusal | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """For how many seconds the service asks for patience."""
        self.refusal = refusal
        """The last answer, if it was the service's: 429, 500 or 503."""


class TokenUnavailable(LibraryUnreachable):
    """The function that provides the token has failed, for whatever reason; its own error is the ``__cause__``. Or the
    token is another player's than the one that the call is for."""


class ForeignAnswer(LibraryError):
    """Something else has answered in place of the service: the page of a hotspot, a proxy, a wrong address."""

    def __init__(self, url: str, status: int, what: str) -> None:
        super().__init__(f"{url}: not an answer of the Library Service ({status}, {what})")
        self.url, self.status, self.what = url, status, what


class StoreRefusal(ForeignAnswer):
    """The object store has answered that it does not do it: ``code`` is its reason, such as ``QuotaExceeded``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__("the store", status, code)
        self.code = code


class ContentChanged(LibraryError):
    """A file changed, or was removed, while it was read or sent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has changed while it was read")


class ContentDamaged(LibraryError):
    """The store has other bytes than those of a content, or a proxy damages them each time."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"the store has other bytes than {sha256}")
        self.sha256 = sha256
