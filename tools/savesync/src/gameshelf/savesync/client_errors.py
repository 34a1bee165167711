"""What the client of the service raises, as errors of a synchronisation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from gameshelf.client import (
    ContentChanged,
    ForeignAnswer,
    LibraryError,
    LibraryRefusal,
    LibraryUnreachable,
    StoreRefusal,
)
from gameshelf.savesync.amounts import files_text, size_text
from gameshelf.savesync.errors import (
    RootUnreadable,
    SaveChanged,
    SaveSyncError,
    ServiceAway,
    ServiceRefusal,
    StagingFailed,
    UnexpectedAnswer,
)
from gameshelf.savesync.wire import Attributes


@contextmanager
def client_errors() -> Iterator[None]:
    """Turns errors of the client into those of this package."""
    try:
        yield
    except LibraryError as error:
        raise error_of(error) from error


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """The same where a file of the save is sent: what is wrong with it names it."""
    try:
        with client_errors():
            yield
    except OSError as error:
        raise RootUnreadable(path, error.strerror or str(error)) from error
    except SaveChanged:
        raise SaveChanged(path) from None


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """The same where a file of this client is written."""
    try:
        with client_errors():
            yield
    except OSError as error:
        raise StagingFailed(path, error) from error


def error_of(error: LibraryError) -> SaveSyncError:
    """What an error of the client means for a synchronisation."""
    match error:
        case LibraryRefusal() if error.status >= 500:  # it is not known whether it was done: the next run finds out
            return ServiceAway(str(error))
        case LibraryRefusal():
            detail = _about_limit(error.code, error.meta) or error.detail
            return ServiceRefusal(error.status, error.code, detail, error.meta, error.pointer)
        case LibraryUnreachable():
            return ServiceAway(str(error), error.retry_after)
        case StoreRefusal():
            return ServiceRefusal(error.status, error.code, "the store refused the request")
        case ForeignAnswer():
            return _of_something_else(error)
        case ContentChanged():
            return SaveChanged(Path())
    return UnexpectedAnswer(str(error))


def _of_something_else(error: ForeignAnswer) -> SaveSyncError:
    """A hotspot is no service, and the work waits; a proxy before the service has no envelope."""
    if 400 <= error.status < 500:
        return ServiceRefusal(error.status, f"HTTP_{error.status}", error.what)
    if 200 <= error.status < 300 and "html" not in error.what:
        return UnexpectedAnswer(str(error))
    host, said = urlsplit(error.url).hostname, f"{error.status}, {error.what}"
    return ServiceAway(f"{host} is not reached: this network answers instead of it ({said})")


def _about_limit(code: str, meta: Attributes) -> str:
    """What is larger than it may be, for the player."""
    match code, meta:
        case "SAVEGAME_FILE_TOO_LARGE", {"size_bytes": int(size), "max_bytes": int(most)}:
            what = meta.get("path") or "the save"
            return f"{what} has {size_text(size)}, and {size_text(most)} are allowed"
        case "SAVEGAME_FILE_TOO_LARGE", {"file_count": int(count), "max_files": int(most)}:
            return f"the save has {files_text(count)}, and {most} are allowed"
        case "USER_QUOTA_EXCEEDED", {"required_bytes": int(size), "used_bytes": int(used), "limit_bytes": int(most)}:
            until = f" until {meta['resets_at']}" if meta.get("resets_at") else ""
            limit = {"product": "saves of this game", "daily": "uploads of a day"}.get(str(meta.get("limit")), "saves")
            room = f"{size_text(used)} of {size_text(most)} for {limit} are used{until}"
            return f"{size_text(size)} more are needed; {room}"
    return ""
