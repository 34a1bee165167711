"""The end of an account: everything of one user, in bounded parts."""

from gameshelf.kernel.sql import Erasure
from gameshelf.library.models import Category, Grant, ItemCategory, LibraryItem, OrderFact, WantedProduct

ERASURE = Erasure((ItemCategory, WantedProduct, Category, LibraryItem, Grant, OrderFact))
