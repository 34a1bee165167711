"""Cloud saves: slots, versions as a tree, verified uploads, conflicts, quotas, retention.

This module is the whole public API of the package; its submodules are private.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.savegames.adoption import Adopted, Adoption, SavedObject, SavegameAdoption
from gameshelf.savegames.commands import (
    ConfirmUpload,
    ConflictsFilter,
    Deletion,
    Download,
    Encryption,
    NewUpload,
    Resolve,
    Restore,
    SavesFilter,
    Synced,
    UploadsFilter,
    VersionChanges,
)
from gameshelf.savegames.confirmations import Attempt
from gameshelf.savegames.conflicts import OutdatedDecision, Resolved, SavegameConflicts
from gameshelf.savegames.errors import (
    ConflictNotFound,
    SavegameFileTooLarge,
    SavegameHashMismatch,
    SavegameSlotNotFound,
    SavegameUploadIncomplete,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    UserQuotaExceeded,
)
from gameshelf.savegames.events import (
    FailureReason,
    SavegameConflictDropped,
    SavegameConflicted,
    SavegameConflictResolved,
    SavegameDeleted,
    SavegameHeadMoved,
    SavegameUploaded,
    UploadFailed,
    UploadRequested,
    UploadUnneeded,
)
from gameshelf.savegames.limits import MAX_OPEN_UPLOADS, MAX_SLOTS, Limits
from gameshelf.savegames.lineage import Node, Relation, Side, ancestors, relation, resolved_by
from gameshelf.savegames.models import METADATA, SCHEMA, ConflictPolicy, Resolution
from gameshelf.savegames.naming import (
    STAGING,
    ObjectMetadata,
    metadata_of,
    object_key,
    object_metadata,
    staging_key,
    user_prefix,
)
from gameshelf.savegames.open_uploads import OpenUpload, UploadQueries, UploadStatus
from gameshelf.savegames.outcomes import UploadOutcome, UploadResult
from gameshelf.savegames.ports import (
    Digest,
    ObjectSigner,
    ObjectStore,
    Packing,
    SignedRequest,
    StoredObject,
    StoreUnavailable,
)
from gameshelf.savegames.queries import (
    ConflictPlace,
    ConflictState,
    Downloadable,
    SavegameAccounts,
    SavegameOverview,
    SavegameQueries,
    SavegameSupport,
    TopUsers,
    UserConflict,
    UserUsage,
    savegame_overview,
)
from gameshelf.savegames.service import SavegameService
from gameshelf.savegames.store.scans import ExpectedContent
from gameshelf.savegames.store.usage import ProductUsage, UsedStorage
from gameshelf.savegames.sweeps import FOLDED_NAME_SCAN, SavegameSweeps
from gameshelf.savegames.uploads import Reservation, SavegameUploads
from gameshelf.savegames.usage_comparison import (
    UsageComparison,
    UsageDifference,
    UsageDifferenceKind,
    compare_usage,
    confirmed_differences,
)
from gameshelf.savegames.views import OpenConflict, SaveVersion, VersionStatus

__version__ = "0.1.0.dev0"

MIGRATIONS = Migrations("gameshelf.savegames", SCHEMA)

__all__ = [
    "FOLDED_NAME_SCAN",
    "MAX_OPEN_UPLOADS",
    "MAX_SLOTS",
    "METADATA",
    "MIGRATIONS",
    "STAGING",
    "Adopted",
    "Adoption",
    "Attempt",
    "ConfirmUpload",
    "ConflictNotFound",
    "ConflictPlace",
    "ConflictPolicy",
    "ConflictState",
    "ConflictsFilter",
    "Deletion",
    "Digest",
    "Download",
    "Downloadable",
    "Encryption",
    "ExpectedContent",
    "FailureReason",
    "Limits",
    "NewUpload",
    "Node",
    "ObjectMetadata",
    "ObjectSigner",
    "ObjectStore",
    "OpenConflict",
    "OpenUpload",
    "OutdatedDecision",
    "Packing",
    "ProductUsage",
    "Relation",
    "Reservation",
    "Resolution",
    "Resolve",
    "Resolved",
    "Restore",
    "SaveVersion",
    "SavedObject",
    "SavegameAccounts",
    "SavegameAdoption",
    "SavegameConflictDropped",
    "SavegameConflictResolved",
    "SavegameConflicted",
    "SavegameConflicts",
    "SavegameDeleted",
    "SavegameFileTooLarge",
    "SavegameHashMismatch",
    "SavegameHeadMoved",
    "SavegameOverview",
    "SavegameQueries",
    "SavegameService",
    "SavegameSlotNotFound",
    "SavegameSupport",
    "SavegameSweeps",
    "SavegameUploadIncomplete",
    "SavegameUploaded",
    "SavegameUploads",
    "SavegameVersionConflict",
    "SavegameVersionNotFound",
    "SavesFilter",
    "Side",
    "SignedRequest",
    "StoreUnavailable",
    "StoredObject",
    "Synced",
    "TopUsers",
    "UploadFailed",
    "UploadOutcome",
    "UploadQueries",
    "UploadRequested",
    "UploadResult",
    "UploadStatus",
    "UploadUnneeded",
    "UploadsFilter",
    "UsageComparison",
    "UsageDifference",
    "UsageDifferenceKind",
    "UsedStorage",
    "UserConflict",
    "UserQuotaExceeded",
    "UserUsage",
    "VersionChanges",
    "VersionStatus",
    "ancestors",
    "compare_usage",
    "confirmed_differences",
    "metadata_of",
    "object_key",
    "object_metadata",
    "relation",
    "resolved_by",
    "savegame_overview",
    "staging_key",
    "user_prefix",
]
