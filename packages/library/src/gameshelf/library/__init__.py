"""The library of a player: items, categories, ownership grants and the catalog projection.

This is the whole public API of the package; its modules are private.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.kernel.users import ERASED_USER
from gameshelf.library._catalog import CatalogProjection
from gameshelf.library._commands import (
    BulkChanges,
    CategoryChanges,
    ClaimProduct,
    HiddenFilter,
    ItemChanges,
    ItemFilter,
    ItemSort,
    NewCategory,
    OnDevice,
    SharedFilter,
)
from gameshelf.library._edits import BulkResult
from gameshelf.library._errors import (
    CategoryAlreadyExists,
    CategoryNotFound,
    GrantNotFound,
    ItemChanged,
    LibraryItemNotFound,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)
from gameshelf.library._events import CategoryUpdated, GameAdded, GameRemoved, ItemUpdated, LibraryUpdated
from gameshelf.library._family.commands import Direction, LinkChanges, LinkFilter, NewLink
from gameshelf.library._family.errors import (
    FamilyAccessRestricted,
    FamilyLimitExceeded,
    FamilyLinkInvalidState,
    FamilyLinkNotFound,
    FamilySeatBusy,
)
from gameshelf.library._family.events import (
    LinkUpdated,
    SeatReclaimed,
    SharedGameAdded,
    SharedGameRemoved,
    SharedLibraryUpdated,
    ShareWithdrawn,
)
from gameshelf.library._family.links import DEFAULT_MAX_MEMBERS, FamilyLinks
from gameshelf.library._family.ports import Players
from gameshelf.library._family.queries import FamilyQueries, LostSeat, TakenSeat
from gameshelf.library._family.rules import GRACE, LinkVerdict, Party
from gameshelf.library._family.seats import FamilySeats, TakenCopy
from gameshelf.library._family.store import Link
from gameshelf.library._installations import Installation
from gameshelf.library._models import (
    METADATA,
    SCHEMA,
    AcquisitionType,
    GrantKind,
    InstallationStatus,
    LinkMode,
    LinkStatus,
)
from gameshelf.library._product_facts import ProductFact
from gameshelf.library._queries.access import AccessDecision, AccessQueries
from gameshelf.library._queries.explain import AccessExplained, CatalogProduct, Explanation
from gameshelf.library._queries.finding import FoundLink, FoundProduct, FoundSource, LibraryFinding
from gameshelf.library._queries.library import CATALOG_VERSION, LibraryQueries
from gameshelf.library._queries.orders import OrderedProduct, OrderQueries
from gameshelf.library._queries.overview import LibraryOverview, library_overview
from gameshelf.library._queries.support import GrantView, HeldProduct, ItemState, LibrarySupportQueries, OrderFactView
from gameshelf.library._queries.timeline import TIMELINE
from gameshelf.library._reasons import LinkReason, SeatReason, Start
from gameshelf.library._rules import Holding, NewGrant, Playtime
from gameshelf.library._service import LibraryService
from gameshelf.library._shares.service import FamilyShares
from gameshelf.library._store import users_without_keys
from gameshelf.library._store.item_id_rewrite import BEGINNING, ItemIdRewrites, RewritePart, RewriteProgress
from gameshelf.library._views import CategoryView, ItemView, Language, ProductView
from gameshelf.library._visible import ACTIVE_SHARES

__version__ = "0.4.0.dev0"

MIGRATIONS = Migrations("gameshelf.library", SCHEMA, local_tables=frozenset({"item_id_rewrite"}))

__all__ = [
    "ACTIVE_SHARES",
    "BEGINNING",
    "CATALOG_VERSION",
    "DEFAULT_MAX_MEMBERS",
    "ERASED_USER",
    "GRACE",
    "METADATA",
    "MIGRATIONS",
    "TIMELINE",
    "AccessDecision",
    "AccessExplained",
    "AccessQueries",
    "AcquisitionType",
    "BulkChanges",
    "BulkResult",
    "CatalogProduct",
    "CatalogProjection",
    "CategoryAlreadyExists",
    "CategoryChanges",
    "CategoryNotFound",
    "CategoryUpdated",
    "CategoryView",
    "ClaimProduct",
    "Direction",
    "Explanation",
    "FamilyAccessRestricted",
    "FamilyLimitExceeded",
    "FamilyLinkInvalidState",
    "FamilyLinkNotFound",
    "FamilyLinks",
    "FamilyQueries",
    "FamilySeatBusy",
    "FamilySeats",
    "FamilyShares",
    "FoundLink",
    "FoundProduct",
    "FoundSource",
    "GameAdded",
    "GameRemoved",
    "GrantKind",
    "GrantNotFound",
    "GrantView",
    "HeldProduct",
    "HiddenFilter",
    "Holding",
    "Installation",
    "InstallationStatus",
    "ItemChanged",
    "ItemChanges",
    "ItemFilter",
    "ItemIdRewrites",
    "ItemSort",
    "ItemState",
    "ItemUpdated",
    "ItemView",
    "Language",
    "LibraryFinding",
    "LibraryItemNotFound",
    "LibraryOverview",
    "LibraryQueries",
    "LibraryService",
    "LibrarySupportQueries",
    "LibraryUpdated",
    "Link",
    "LinkChanges",
    "LinkFilter",
    "LinkMode",
    "LinkReason",
    "LinkStatus",
    "LinkUpdated",
    "LinkVerdict",
    "LostSeat",
    "NewCategory",
    "NewGrant",
    "NewLink",
    "OnDevice",
    "OrderFactView",
    "OrderQueries",
    "OrderedProduct",
    "Party",
    "Players",
    "Playtime",
    "ProductAlreadyOwned",
    "ProductFact",
    "ProductNotFound",
    "ProductNotFree",
    "ProductView",
    "RewritePart",
    "RewriteProgress",
    "SeatReason",
    "SeatReclaimed",
    "ShareWithdrawn",
    "SharedFilter",
    "SharedGameAdded",
    "SharedGameRemoved",
    "SharedLibraryUpdated",
    "Start",
    "TakenCopy",
    "TakenSeat",
    "library_overview",
    "users_without_keys",
]
