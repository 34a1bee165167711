"""What a player owns: items, categories, ownership grants and the catalog projection.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.library.catalog import CatalogProjection, ProductFact
from gameshelf.library.commands import (
    CategoryChanges,
    ClaimProduct,
    ItemChanges,
    ItemFilter,
    ItemSort,
    NewCategory,
    SharedFilter,
)
from gameshelf.library.errors import (
    CategoryAlreadyExists,
    CategoryNotFound,
    LibraryItemNotFound,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)
from gameshelf.library.events import GameAdded, GameRemoved, ItemUpdated
from gameshelf.library.models import SCHEMA, AcquisitionType, GrantKind, InstallationStatus
from gameshelf.library.queries import (
    CATALOG_VERSION,
    Access,
    CategoryView,
    ItemView,
    Language,
    LibraryQueries,
    ProductView,
)
from gameshelf.library.rules import NewGrant, Playtime
from gameshelf.library.service import LibraryService

__version__ = "0.1.0"

MIGRATIONS = Migrations("gameshelf.library", SCHEMA)

__all__ = [
    "CATALOG_VERSION",
    "MIGRATIONS",
    "Access",
    "AcquisitionType",
    "CatalogProjection",
    "CategoryAlreadyExists",
    "CategoryChanges",
    "CategoryNotFound",
    "CategoryView",
    "ClaimProduct",
    "GameAdded",
    "GameRemoved",
    "GrantKind",
    "InstallationStatus",
    "ItemChanges",
    "ItemFilter",
    "ItemSort",
    "ItemUpdated",
    "ItemView",
    "Language",
    "LibraryItemNotFound",
    "LibraryQueries",
    "LibraryService",
    "NewCategory",
    "NewGrant",
    "Playtime",
    "ProductAlreadyOwned",
    "ProductFact",
    "ProductNotFound",
    "ProductNotFree",
    "ProductView",
    "SharedFilter",
]
