"""What a player owns: items, categories, ownership grants and the catalog projection.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.library.access import Access, AccessQueries
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
    GrantNotFound,
    LibraryItemNotFound,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)
from gameshelf.library.events import GameAdded, GameRemoved, ItemUpdated
from gameshelf.library.explain import AccessExplained, CatalogWord, Explanation
from gameshelf.library.family.commands import Direction, LinkChanges, LinkFilter, NewLink
from gameshelf.library.family.errors import (
    FamilyAccessRestricted,
    FamilyLimitExceeded,
    FamilyLinkInvalidState,
    FamilyLinkNotFound,
    FamilySeatBusy,
)
from gameshelf.library.family.events import ERASED_USER, LinkUpdated, SeatReclaimed, ShareWithdrawn
from gameshelf.library.family.links import DEFAULT_MAX_MEMBERS, FamilyLinks
from gameshelf.library.family.ports import Players
from gameshelf.library.family.queries import FamilyQueries, LostSeat, TakenSeat
from gameshelf.library.family.rules import GRACE, Party
from gameshelf.library.family.seats import Copy, FamilySeats
from gameshelf.library.family.store import Link
from gameshelf.library.models import (
    METADATA,
    SCHEMA,
    AcquisitionType,
    GrantKind,
    InstallationStatus,
    LinkMode,
    LinkStatus,
)
from gameshelf.library.overview import LibraryOverview, library_overview
from gameshelf.library.queries import (
    CATALOG_VERSION,
    CategoryView,
    ItemView,
    Language,
    LibraryQueries,
    ProductView,
)
from gameshelf.library.reasons import LinkReason, SeatReason, Start
from gameshelf.library.rules import Holding, NewGrant, Playtime
from gameshelf.library.service import LibraryService
from gameshelf.library.support import GrantView, HeldProduct, ItemState, SupportQueries
from gameshelf.library.visible import LINKED_OWNERS

__version__ = "0.1.0"

MIGRATIONS = Migrations("gameshelf.library", SCHEMA)

__all__ = [
    "CATALOG_VERSION",
    "DEFAULT_MAX_MEMBERS",
    "ERASED_USER",
    "GRACE",
    "LINKED_OWNERS",
    "METADATA",
    "MIGRATIONS",
    "Access",
    "AccessExplained",
    "AccessQueries",
    "AcquisitionType",
    "CatalogProjection",
    "CatalogWord",
    "CategoryAlreadyExists",
    "CategoryChanges",
    "CategoryNotFound",
    "CategoryView",
    "ClaimProduct",
    "Copy",
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
    "Holding",
    "InstallationStatus",
    "ItemChanges",
    "ItemFilter",
    "ItemSort",
    "ItemState",
    "ItemUpdated",
    "ItemView",
    "Language",
    "LibraryItemNotFound",
    "LibraryOverview",
    "LibraryQueries",
    "LibraryService",
    "Link",
    "LinkChanges",
    "LinkFilter",
    "LinkMode",
    "LinkReason",
    "LinkStatus",
    "LinkUpdated",
    "LostSeat",
    "NewCategory",
    "NewGrant",
    "NewLink",
    "Party",
    "Players",
    "Playtime",
    "ProductAlreadyOwned",
    "ProductFact",
    "ProductNotFound",
    "ProductNotFree",
    "ProductView",
    "SeatReason",
    "SeatReclaimed",
    "ShareWithdrawn",
    "SharedFilter",
    "Start",
    "SupportQueries",
    "TakenSeat",
    "library_overview",
]
