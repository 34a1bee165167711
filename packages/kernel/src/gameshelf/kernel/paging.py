"""Pages of a collection, counted from 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PAGE = 2**31 - 1
"""Far past the end of any collection, where pages are empty; the offset still fits a bigint."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is wanted: ``number`` from 1, ``limit`` items a page. What users may ask for is bounded before."""

    number: int = 1
    limit: int = DEFAULT_LIMIT

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.number - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of a collection and the size of the whole."""

    items: Sequence[T]
    total: int
