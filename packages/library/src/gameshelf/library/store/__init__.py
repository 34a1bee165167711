"""Writing a library: every statement that changes the schema, and the reads that a decision needs.

The caller has serialised the user, so what is read here cannot change before it is written.
"""

from gameshelf.library.store.categories import CategoryStore, Pair, StoredCategory, users_without_keys
from gameshelf.library.store.erasure import ERASURE
from gameshelf.library.store.grants import GrantStore
from gameshelf.library.store.items import ItemStore, StoredItem
from gameshelf.library.store.products import ProductStore

__all__ = [
    "ERASURE",
    "CategoryStore",
    "GrantStore",
    "ItemStore",
    "Pair",
    "ProductStore",
    "StoredCategory",
    "StoredItem",
    "users_without_keys",
]
