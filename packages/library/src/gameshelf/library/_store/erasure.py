"""The deletion of all rows of one user, in bounded parts."""

from gameshelf.kernel.sql import RowErasure
from gameshelf.library._models import (
    Category,
    FirstAccess,
    Grant,
    ItemCategory,
    LibraryItem,
    MissingProduct,
    OrderFact,
)
from gameshelf.library._shares.models import ShareChange, SharedProduct

ERASURE = RowErasure(
    (ItemCategory, MissingProduct, Category, LibraryItem, FirstAccess, Grant, OrderFact, SharedProduct, ShareChange)
)
