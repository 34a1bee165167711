"""What stops a synchronisation. Each error names what a player or a launcher can look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gameshelf.savesync.paths import MAX_PART, MAX_PATH, PathProblem


class SaveSyncError(Exception):
    """The synchronisation stopped, and neither the folders nor the cloud are half changed."""

    hints: Sequence[str] = ()
    """What the player can look at or do."""


class RootUnreadable(SaveSyncError):
    """A folder or file of a save is missing or cannot be read: its content is unknown, which does not mean empty."""

    def __init__(self, path: Path, reason: str, hints: Sequence[str] = ()) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason, self.hints = path, reason, tuple(hints)


class StagingFailed(SaveSyncError):
    """Files of this client cannot be written, such as on a full disk. The folders of the save are as they were."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror or error}")
        self.path, self.error = path, error


class SaveChanged(SaveSyncError):
    """A file changed while it was read or sent: the caller looks at the folder again."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has changed while it was read")
        self.path = path


class UnsuitablePaths(SaveSyncError):
    """Files that cannot stand in one save together, or under their names."""

    def __init__(self, problems: Sequence[PathProblem]) -> None:
        shown = "; ".join(map(_described, problems[:5]))
        super().__init__(shown if len(problems) <= 5 else f"{shown}; and {len(problems) - 5} more")
        self.problems = tuple(problems)


def _described(one: PathProblem) -> str:
    texts = {
        "path_taken": f"another system cannot distinguish it from {one.other!r}",
        "path_is_folder": f"{one.other!r} needs a folder of that name",
        "path_not_text": "its name is no text",
        "path_too_long": f"more than {MAX_PATH} characters",
        "path_part_too_long": f"a name of more than {MAX_PART} characters",
    }
    text = texts.get(one.rule)
    return f"{one.path!r}: {text} ({one.rule})" if text else f"{one.path!r}: {one.rule}"


class TooManyFiles(SaveSyncError):
    """A folder has more files than a save may have."""

    def __init__(self, folder: Path, most: int) -> None:
        super().__init__(f"{folder} has more than {most} files: narrow the patterns of the policy")
        self.folder, self.most = folder, most


class VersionAmbiguous(SaveSyncError):
    """Several saves of the game have a version of this number."""

    def __init__(self, version: int, slots: Sequence[str]) -> None:
        names = ", ".join(map(repr, slots))
        super().__init__(f"several saves of this game have a version {version} ({names}); name one with --slot")
        self.version, self.slots = version, tuple(slots)


class RestoreImpossible(SaveSyncError):
    """What was to be restored is not there, or belongs to another save."""


class ProcessesUnknown(SaveSyncError):
    """It cannot be known whether the game runs."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"the processes of this machine cannot be listed: {error}")
        self.error = error


class FilesSkipped(SaveSyncError):
    """The service leaves out files that are larger than it allows; the policy does not say how large they may be."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"files of more than {max_bytes} bytes are left out")
        self.max_bytes = max_bytes


class HomeUnknown(SaveSyncError):
    """The user has no home folder, and no variables name other folders for the files of this client."""

    def __init__(self, variables: Sequence[str]) -> None:
        super().__init__(f"there is no home folder; set HOME, or {', '.join(variables)}")


class LockHeld(SaveSyncError):
    """Another process synchronises this product."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"another process synchronises this game{f' ({holder})' if holder else ''}: {path}")
        self.path, self.holder = path, holder


class StateUnusable(SaveSyncError):
    """What this device knows of its last synchronisation is damaged, or of a newer version of this client."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class PolicyRefused(SaveSyncError):
    """A policy that this client does not follow, with the field and the rule."""

    def __init__(self, field: str, rule: str, text: object = "") -> None:
        super().__init__(f"policy: {field}: {rule}" + (f" ({text!r})" if text != "" else ""))
        self.field, self.rule = field, rule


class PlaceUnknown(SaveSyncError):
    """A place of a policy that this machine cannot resolve, such as one inside a game that is not installed."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class PrefixMissing(SaveSyncError):
    """The Wine prefix of the game is not made yet. What has a save and nothing else would be taken for a broken one."""

    def __init__(self, prefix: Path) -> None:
        super().__init__(f"{prefix} is no Wine prefix yet: it is made when the game starts")
        self.prefix = prefix


class ServiceAway(SaveSyncError):
    """The service or the store cannot be reached, or asks for patience: try again later."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """For how many seconds it asks for patience."""


class ServiceRefusal(SaveSyncError):
    """The service has refused: ``code`` is the reason, ``meta`` has the values that a program needs to handle it."""

    def __init__(
        self, status: int, code: str, detail: str = "", meta: Mapping[str, Any] | None = None, pointer: str = ""
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.status, self.code, self.detail, self.meta = status, code, detail, dict(meta or {})
        self.pointer = pointer
        """Where in the request the reason lies, as a JSON pointer."""

    @property
    def is_missing(self) -> bool:
        """Whether the service says that something is not there. A proxy that answers 404 does not know it."""
        return self.status == 404 and not self.code.startswith("HTTP_")


class UnexpectedAnswer(SaveSyncError):
    """An answer that is not of the protocol, such as a page of a captive portal."""


class ContentUnusable(SaveSyncError):
    """Bytes of the cloud that this client cannot turn into a file: encrypted ones, or of an unknown packing."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason
