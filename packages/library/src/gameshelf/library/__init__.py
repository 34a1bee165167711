"""The library of a player: items, categories, ownership grants and the catalog projection.

This is the whole public API of the package; its modules are private.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.kernel.users import ERASED_USER
from gameshelf.library.catalog import CatalogProjection
from gameshelf.library.commands import (
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
from gameshelf.library.edits import BulkResult
from gameshelf.library.errors import (
    CategoryAlreadyExists,
    CategoryNotFound,
    GrantNotFound,
    ItemChanged,
    LibraryItemNotFound,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)
from gameshelf.library.events import CategoryUpdated, GameAdded, GameRemoved, ItemUpdated, LibraryUpdated
from gameshelf.library.family.commands import Direction, LinkChanges, LinkFilter, NewLink
from gameshelf.library.family.errors import (
    FamilyAccessRestricted,
    FamilyLimitExceeded,
    FamilyLinkInvalidState,
    FamilyLinkNotFound,
    FamilySeatBusy,
)
from gameshelf.library.family.events import LinkUpdated, SeatReclaimed, ShareWithdrawn
from gameshelf.library.family.links import DEFAULT_MAX_MEMBERS, FamilyLinks
from gameshelf.library.family.ports import Players
from gameshelf.library.family.queries import FamilyQueries, LostSeat, TakenSeat
from gameshelf.library.family.rules import GRACE, LinkVerdict, Party
from gameshelf.library.family.seats import FamilySeats, TakenCopy
from gameshelf.library.family.store import Link
from gameshelf.library.installations import Installation
from gameshelf.library.models import (
    METADATA,
    SCHEMA,
    AcquisitionType,
    GrantKind,
    InstallationStatus,
    LinkMode,
    LinkStatus,
)
from gameshelf.library.product_facts import ProductFact
from gameshelf.library.queries.access import AccessDecision, AccessQueries
from gameshelf.library.queries.explain import AccessExplained, CatalogProduct, Explanation
from gameshelf.library.queries.library import CATALOG_VERSION, LibraryQueries
from gameshelf.library.queries.overview import LibraryOverview, library_overview
from gameshelf.library.queries.support import GrantView, HeldProduct, ItemState, LibrarySupportQueries, OrderFactView
from gameshelf.library.reasons import LinkReason, SeatReason, Start
from gameshelf.library.rules import Holding, NewGrant, Playtime
from gameshelf.library.service import LibraryService
from gameshelf.library.store import users_without_keys
from gameshelf.library.store.item_id_rewrite import BEGINNING, ItemIdRewrites, RewritePart, RewriteProgress
from gameshelf.library.views import CategoryView, ItemView, Language, ProductView
from gameshelf.library.visible import LINKED_OWNERS

__version__ = "0.2.0.dev0"

MIGRATIONS = Migrations("gameshelf.library", SCHEMA)

__all__ = [
    "BEGINNING",
    "CATALOG_VERSION",
    "DEFAULT_MAX_MEMBERS",
    "ERASED_USER",
    "GRACE",
    "LINKED_OWNERS",
    "METADATA",
    "MIGRATIONS",
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
    "Start",
    "TakenCopy",
    "TakenSeat",
    "library_overview",
    "users_without_keys",
]
