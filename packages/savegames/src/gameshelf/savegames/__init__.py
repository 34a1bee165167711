"""Cloud saves: slots, versions as a tree, verified uploads, conflicts, quotas, retention.

This module is the whole public API of the package; its submodules are private.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.savegames._adoption import Adopted, Adoption, SavedObject, SavegameAdoption
from gameshelf.savegames._commands import (
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
from gameshelf.savegames._confirmations import Attempt
from gameshelf.savegames._conflicts import OutdatedDecision, Resolved, SavegameConflicts
from gameshelf.savegames._errors import (
    ConflictNotFound,
    SavegameFileTooLarge,
    SavegameHashMismatch,
    SavegameSlotNotFound,
    SavegameUploadIncomplete,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    UserQuotaExceeded,
)
from gameshelf.savegames._events import (
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
from gameshelf.savegames._limits import MAX_OPEN_UPLOADS, MAX_SLOTS, Limits
from gameshelf.savegames._lineage import Node, Relation, Side, ancestors, relation, resolved_by
from gameshelf.savegames._models import METADATA, SCHEMA, ConflictPolicy, Resolution
from gameshelf.savegames._naming import (
    STAGING,
    ObjectMetadata,
    metadata_of,
    object_key,
    object_metadata,
    staging_key,
    user_prefix,
)
from gameshelf.savegames._open_uploads import OpenUpload, UploadQueries, UploadStatus
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._ports import (
    MAX_PUT_BYTES,
    Digest,
    ObjectSigner,
    ObjectStore,
    ObjectTooLarge,
    OpenMultipart,
    Packing,
    SignedRequest,
    StoredObject,
    StoredPart,
    StoreUnavailable,
)
from gameshelf.savegames._queries import (
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
from gameshelf.savegames._service import SavegameService
from gameshelf.savegames._store.scans import ExpectedContent
from gameshelf.savegames._store.usage import ProductUsage, UsedStorage
from gameshelf.savegames._sweeps import FOLDED_NAME_SCAN, SavegameSweeps
from gameshelf.savegames._uploads import Reservation, SavegameUploads
from gameshelf.savegames._usage_comparison import (
    UsageComparison,
    UsageDifference,
    UsageDifferenceKind,
    compare_usage,
    confirmed_differences,
)
from gameshelf.savegames._views import OpenConflict, SaveVersion, VersionStatus

__version__ = "0.1.0"

MIGRATIONS = Migrations("gameshelf.savegames", SCHEMA)

__all__ = [
    "FOLDED_NAME_SCAN",
    "MAX_OPEN_UPLOADS",
    "MAX_PUT_BYTES",
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
    "ObjectTooLarge",
    "OpenConflict",
    "OpenMultipart",
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
    "StoredPart",
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
