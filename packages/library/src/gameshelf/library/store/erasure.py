"""The end of an account: everything of one user, in bounded parts."""

from gameshelf.kernel.sql import Erasure
from gameshelf.library.models import Category, FirstAccess, Grant, ItemCategory, LibraryItem, OrderFact, WantedProduct

ERASURE = Erasure((ItemCategory, WantedProduct, Category, LibraryItem, FirstAccess, Grant, OrderFact))
