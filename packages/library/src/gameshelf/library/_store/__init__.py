"""Stores of a library: every statement that writes, and the reads on which decisions depend.

The caller has serialised the user, so rows that are read here cannot change before they are written.
"""

from gameshelf.library._store.categories import CategoryStore, Pair, StoredCategory, users_without_keys
from gameshelf.library._store.erasure import ERASURE
from gameshelf.library._store.grants import GrantStore
from gameshelf.library._store.items import ItemStore, StoredItem, lookup_items
from gameshelf.library._store.products import ProductStore

__all__ = [
    "ERASURE",
    "CategoryStore",
    "GrantStore",
    "ItemStore",
    "Pair",
    "ProductStore",
    "StoredCategory",
    "StoredItem",
    "lookup_items",
    "users_without_keys",
]
