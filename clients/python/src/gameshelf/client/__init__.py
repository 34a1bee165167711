"""The client of the Library Service: every call, typed. It knows the service by its protocol only."""

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import (
    ContentChanged,
    ContentDamaged,
    ForeignAnswer,
    LibraryError,
    LibraryProblem,
    LibraryRefusal,
    LibraryUnreachable,
    StoreRefusal,
    TokenUnavailable,
)
from gameshelf.client.etags import EtagStore, KeptAnswer, MemoryEtagStore
from gameshelf.client.library_client import LibraryClient
from gameshelf.client.live import LiveUpdates
from gameshelf.client.offline import PlayQueue, SentWork
from gameshelf.client.paging import Pages
from gameshelf.client.playing import PlayNotice, PlaySession
from gameshelf.client.queue_stores import FileQueueStore, MemoryQueueStore, QueueEntry, QueueStore
from gameshelf.client.retries import RetryRules
from gameshelf.client.saves.contents import SaveBytes
from gameshelf.client.saves.downloads import DownloadedFile, DownloadedSave
from gameshelf.client.saves.uploads import SaveOutcome
from gameshelf.client.tokens import TokenProvider

__version__ = "0.1.0.dev0"

__all__ = [
    "ContentChanged",
    "ContentDamaged",
    "DownloadedFile",
    "DownloadedSave",
    "EtagStore",
    "FileQueueStore",
    "ForeignAnswer",
    "KeptAnswer",
    "LibraryAnswer",
    "LibraryClient",
    "LibraryError",
    "LibraryProblem",
    "LibraryRefusal",
    "LibraryUnreachable",
    "LiveUpdates",
    "MemoryEtagStore",
    "MemoryQueueStore",
    "Pages",
    "PlayNotice",
    "PlayQueue",
    "PlaySession",
    "QueueEntry",
    "QueueStore",
    "RetryRules",
    "SaveBytes",
    "SaveOutcome",
    "SentWork",
    "StoreRefusal",
    "TokenProvider",
    "TokenUnavailable",
]
