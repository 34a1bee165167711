"""Sessions of an import on plain values: their identity, their form in the ledger, and their results."""

from dataclasses import dataclass
from uuid import uuid4

from gameshelf.playtime._commands import OfflineSession
from gameshelf.playtime._models import EndReason
from gameshelf.playtime._rules import ImportRefusal, Interval, to_second
from gameshelf.playtime._store.sessions import StoredSession


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of one session of an import: ``accepted``, ``duplicate``, or ``rejected`` with a code."""

    client_session_id: str
    result: str
    code: str | None = None


def import_key(offline: OfflineSession) -> tuple[str, str]:
    """The identity of an imported session: two devices may use the same ids."""
    return offline.device_id or "", offline.client_session_id


def session_of(offline: OfflineSession) -> StoredSession:
    """The session of the ledger for one that was played offline, under a new id. Its times are cut to seconds."""
    played = Interval(to_second(offline.start_time), to_second(offline.end_time))
    return StoredSession(
        uuid4(),
        offline.product_id,
        offline.device_id or "",
        offline.platform,
        played.start,
        played.end,
        played.seconds,
        EndReason.IMPORTED,
        played.end,
        offline.client_session_id,
    )


def repeated_result(before: StoredSession, again: StoredSession) -> ImportResult:
    """The result of a session whose key was imported before: a duplicate, or rejected if its content differs."""
    client_id = again.client_session_id or ""
    contents = [(one.product_id, one.platform, one.start_time, one.end_time) for one in (before, again)]
    if contents[0] == contents[1]:
        return ImportResult(client_id, "duplicate")
    return ImportResult(client_id, "rejected", ImportRefusal.KEY_REUSED)
