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
    """The file is larger than a save may be; ``meta["max_bytes"]``."""

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
    """The uploaded bytes are not the announced ones; the upload has failed."""

    code = "SAVEGAME_HASH_MISMATCH"


class SavegameVersionConflict(DomainError):
    """The save has changed elsewhere; ``meta`` has both sides and the conflict."""

    code = "SAVEGAME_VERSION_CONFLICT"
