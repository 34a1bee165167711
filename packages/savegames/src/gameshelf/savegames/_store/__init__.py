"""All SQL that changes saves. The caller has serialised the user, except where a method needs no lock."""

from gameshelf.kernel.database import Connection
from gameshelf.kernel.sql import RowErasure
from gameshelf.savegames._models import (
    SavegameAllowance,
    SavegameConflict,
    SavegameContent,
    SavegameDevice,
    SavegameMetadata,
    SavegameNumber,
    SavegameQuota,
    SavegameSlot,
    SavegameUpload,
)
from gameshelf.savegames._set_models import (
    SavegameDeviceState,
    SavegameManifest,
    SavegameManifestContent,
    SavegamePreference,
    SavegameUploadFile,
)
from gameshelf.savegames._store.conflicts import ConflictStore
from gameshelf.savegames._store.contents import ContentStore
from gameshelf.savegames._store.lists import ListStore
from gameshelf.savegames._store.merges import MergeStore
from gameshelf.savegames._store.plan_contexts import PlanContextStore
from gameshelf.savegames._store.plans import PlanStore
from gameshelf.savegames._store.set_commits import SetCommitStore
from gameshelf.savegames._store.set_contexts import SetContextStore
from gameshelf.savegames._store.set_reservations import SetReservationStore
from gameshelf.savegames._store.slots import SlotStore
from gameshelf.savegames._store.upload_contexts import UploadContextStore
from gameshelf.savegames._store.upload_files import UploadFileStore
from gameshelf.savegames._store.uploads import UploadStore
from gameshelf.savegames._store.usage import UsageStore
from gameshelf.savegames._store.versions import VersionStore

ERASURE = RowErasure(
    (
        SavegameConflict,
        SavegameDevice,
        SavegameUploadFile,
        SavegameUpload,
        SavegameMetadata,
        SavegameManifestContent,
        SavegameManifest,
        SavegameContent,
        SavegameSlot,
        SavegameNumber,
        SavegameAllowance,
        SavegameQuota,
        SavegameDeviceState,
        SavegamePreference,
    )
)


class SavegameStore:
    """The stores of all tables of saves, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.slots = SlotStore(connection)
        self.versions = VersionStore(connection)
        self.contents = ContentStore(connection)
        self.lists = ListStore(connection)
        self.set_contexts = SetContextStore(connection)
        self.upload_contexts = UploadContextStore(connection)
        self.uploads = UploadStore(connection)
        self.set_reservations = SetReservationStore(connection)
        self.upload_files = UploadFileStore(connection)
        self.merges = MergeStore(connection)
        self.set_commits = SetCommitStore(connection)
        self.conflicts = ConflictStore(connection)
        self.usage = UsageStore(connection)
        self.plan_contexts = PlanContextStore(connection)
        self.plans = PlanStore(connection)
