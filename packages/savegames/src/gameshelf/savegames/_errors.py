"""The errors of saves, with the contract's codes."""

from gameshelf.kernel.errors import DomainError, ResourceNotFound


class SavegameSlotNotFound(ResourceNotFound):
    """There is no such save."""

    code = "SAVEGAME_SLOT_NOT_FOUND"


class SavegameVersionNotFound(ResourceNotFound):
    """There is no such version of a save, its bytes were deleted, or there is no such upload."""

    code = "SAVEGAME_VERSION_NOT_FOUND"


class ConflictNotFound(ResourceNotFound):
    """There is no such open conflict."""

    code = "CONFLICT_NOT_FOUND"


class SavegameFileTooLarge(DomainError):
    """A file, or a set, is larger than it may be. ``meta["limit"]`` of a set names the limit: ``file``, ``set``,
    ``files`` or ``list``; ``meta["max_bytes"]`` or ``meta["max_files"]`` is its value. ``pointer`` is the field that
    has the file, or makes the set.
    """

    code = "SAVEGAME_FILE_TOO_LARGE"


class UserQuotaExceeded(DomainError):
    """A quota is exhausted; ``meta["limit"]`` names it: ``user``, ``product``, ``daily`` (until ``resets_at``),
    ``open_uploads``, ``slots``.
    """

    code = "USER_QUOTA_EXCEEDED"


class SavegameUploadIncomplete(DomainError):
    """Nothing has been uploaded yet."""

    code = "SAVEGAME_UPLOAD_INCOMPLETE"


class SavegameHashMismatch(DomainError):
    """The uploaded bytes are not the announced ones, and the upload has failed. Or the list of a delta is not the
    announced one, and nothing was reserved (``meta["reason"]`` is ``set``).
    """

    code = "SAVEGAME_HASH_MISMATCH"


class SavegameVersionConflict(DomainError):
    """The save has changed elsewhere; ``meta`` has both sides and the conflict."""

    code = "SAVEGAME_VERSION_CONFLICT"


class SavegameIsASet(DomainError):
    """The version is a set of files, and so has no single URL; ``meta["file_count"]`` is their number."""

    code = "SAVEGAME_IS_A_SET"


class SavegameShrinks(DomainError):
    """A new version lacks much of what the head has, and nobody confirmed that. ``meta``: ``removed`` (files),
    ``bytes``, ``units`` (100 at most), ``head_version``.
    """

    code = "SAVEGAME_SHRINKS"


class SavegameBaseNotSynced(DomainError):
    """The device names a base that it never had. ``meta``: ``head_version``, ``device_version``."""

    code = "SAVEGAME_BASE_NOT_SYNCED"


class SavegamePolicyChanged(DomainError):
    """The device used another revision of the product's policy. ``meta``: ``policy_revision``, ``policy``."""

    code = "SAVEGAME_POLICY_CHANGED"


class SavegameMergeSplitsUnit(DomainError):
    """Two versions cannot be merged without mixing what belongs together; ``meta["reason"]``: ``no_units``,
    ``single_file``, ``units_meet``.
    """

    code = "SAVEGAME_MERGE_SPLITS_UNIT"
