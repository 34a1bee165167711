"""Pages of a collection, counted from 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PAGE = 2**31 - 1
"""Far past the end of any collection, where pages are empty; the offset still fits a bigint."""

PageNumber = Annotated[int, Field(ge=1, le=MAX_PAGE, description="Number of the page, counted from 1.")]
PageLimit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Maximum number of elements of the page.")]


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
