"""Pages of a collection, counted from 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PAGE = 2**31 - 1
"""A page far past the end of any collection, which is empty. Its offset still fits a bigint."""

PageNumber = Annotated[int, Field(ge=1, le=MAX_PAGE, description="Number of the page, counted from 1.")]
PageLimit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Maximum number of elements of the page.")]


@dataclass(frozen=True, slots=True)
class Page:
    """The requested page: its ``number``, counted from 1, and ``limit`` items per page. Commands check the bounds."""

    number: int = 1
    limit: int = DEFAULT_LIMIT

    @property
    def offset(self) -> int:
        """The number of items before the page."""
        return (self.number - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of a collection, and the size of the whole collection."""

    items: Sequence[T]
    total: int
