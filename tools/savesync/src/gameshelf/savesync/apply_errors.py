"""Why a version could not be applied. After each of these the folders hold what they held before."""

from gameshelf.savesync.errors import SaveSyncError


class ApplyError(SaveSyncError):
    """The version was not applied. ``path`` is the path in the save, or the folder, that it is about."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason, self.path = reason, path


class RootMissing(ApplyError):
    """The folder of a root is not there, or is another one than before: a disk that is not mounted, for example."""


class RootBusy(ApplyError):
    """Another client has unfinished work in the folder of a root."""


class FileChanged(ApplyError):
    """A file is no longer what the scan saw: a game is running. Scan and plan again."""


class PathInTheWay(ApplyError):
    """Something that is no file of the save has the place of one: a folder with other files, or a link."""


class PathRefused(ApplyError):
    """The version has a path that this system cannot hold, or that no save may have."""


class ContentBroken(ApplyError):
    """A staged content is incomplete or missing: fetch it again."""


class DiskFailed(ApplyError):
    """The disk refused an operation: it is full, it is read-only, or the permission is missing."""


class JournalBroken(ApplyError):
    """The journal cannot be read. Nothing is done with the folders as long as it is there."""
