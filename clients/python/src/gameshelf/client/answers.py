"""What a call returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LibraryAnswer(Generic[T]):
    """The ``data`` of an answer, and what came with it."""

    data: T
    status: int
    meta: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Without regard to case."""

    @property
    def etag(self) -> str | None:
        """For ``if_match`` of a change. A proxy that compresses makes it weak, and no change accepts a weak one."""
        etag = self.headers.get("ETag")
        return etag.removeprefix("W/") if etag is not None else None

    @property
    def request_id(self) -> str:
        """To be reported to support."""
        return self.headers.get("X-Request-ID", "")
