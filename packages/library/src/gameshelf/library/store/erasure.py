"""The deletion of all rows of one user, in bounded parts."""

from gameshelf.kernel.sql import Erasure
from gameshelf.library.models import Category, FirstAccess, Grant, ItemCategory, LibraryItem, MissingProduct, OrderFact

ERASURE = Erasure((ItemCategory, MissingProduct, Category, LibraryItem, FirstAccess, Grant, OrderFact))
