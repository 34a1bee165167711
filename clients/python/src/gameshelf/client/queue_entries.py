"""What an offline queue holds, and what becomes of it. Plain values; nothing here calls the service."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gameshelf.client.queue_stores import QueueEntry
from gameshelf.client.stretches import SHORTEST, Stretch

SESSION, ACHIEVEMENT = "session", "achievement"
OPEN_SESSION, OPEN_END, ENDED_SESSION = "open_session", "open_end", "ended_session"
"""A session that is being played without the network; one that the service knows, whose heartbeats are not answered
now; and one whose end could not be reported."""
ABANDONED = timedelta(minutes=10)
"""A session that is played is written down more often: after a crash this one ended when it was written last."""
LONGEST_HELD = timedelta(days=1)
"""Longer than any game holds its entry: the clock of the machine has been set back since."""
CLOCK_LEAD = timedelta(minutes=5)
"""What the service takes a clock to be off by; it refuses times that are later than that."""


def is_held(entry: QueueEntry, now: datetime) -> bool:
    """Whether a game may still be running, and write its entry again."""
    if entry.kind not in (OPEN_SESSION, OPEN_END):
        return False
    return now <= from_text(entry.attributes["held_until"]) <= now + LONGEST_HELD


def session_of(entry: QueueEntry) -> QueueEntry | None:
    """The session of an entry that nobody writes down any more. None for one that is too short."""
    said = {name: value for name, value in entry.attributes.items() if name != "held_until"}
    if from_text(said["end_time"]) - from_text(said["start_time"]) < SHORTEST:
        return None
    return replace(entry, kind=SESSION, attributes=said)


def refused_by_id(results: Sequence[Any]) -> dict[str, str | None]:
    """The codes of the elements that were rejected."""
    rejected = [one["attributes"] for one in results if one["attributes"]["result"] == "rejected"]
    return {one.get("client_session_id") or one["client_id"]: one["code"] for one in rejected}


def rests_of(ended: QueueEntry, session: Mapping[str, Any]) -> list[QueueEntry]:
    """What was played after a session had timed out: a session for each stretch between two sleeps of the machine.

    Their ids follow from the session's and from their place, so each counts once, however often this is done.
    """
    if session.get("end_reason") != "timeout":
        return []
    said = {name: ended.attributes.get(name) for name in ("product_id", "device_id", "platform")}
    counted_until, rests = from_text(session["end_time"]), []
    for number, (begin, end) in enumerate(ended.attributes["stretches"]):
        start = max(from_text(begin), counted_until)
        if from_text(end) - start >= SHORTEST:
            times = {"start_time": to_text(start), "end_time": end}
            rest_id = f"{ended.id}-rest-{number}"
            rests.append(QueueEntry(rest_id, SESSION, {**said, **times}, user=ended.user))
    return rests


def moved_of(
    entries: Sequence[QueueEntry], refused: Container[str], now: datetime, server_time: datetime
) -> list[QueueEntry]:
    """The sessions whose times were refused, moved to when they were played: by what the clock of this machine is off,
    and at most to now. Those whose times are not of a wrong clock are left out.

    None is moved into another one: what overlaps counts once. What was queued later was played later.
    """
    taken = [_times_of(entry) for entry in entries if entry.id not in refused]
    moved = []
    for entry in reversed([entry for entry in entries if entry.id in refused]):
        start, end = _times_of(entry)
        moves = [ahead for ahead in (now - server_time,) if abs(ahead) > CLOCK_LEAD]
        if end - server_time > CLOCK_LEAD:  # the clock may have been set right since then
            moves.append(end - server_time)
        if moves:
            taken.append(_latest_free(end - max(moves), end - start, taken))
            times = {name: to_text(time) for name, time in zip(("start_time", "end_time"), taken[-1], strict=True)}
            moved.append(replace(entry, attributes={**entry.attributes, **times}))
    return moved[::-1]


def _times_of(entry: QueueEntry) -> Stretch:
    return from_text(entry.attributes["start_time"]), from_text(entry.attributes["end_time"])


def _latest_free(end: datetime, length: timedelta, taken: Sequence[Stretch]) -> Stretch:
    """The last time before ``end`` that has place for a session."""
    for other_start, other_end in sorted(taken, reverse=True):
        if other_start < end and end - length < other_end:
            end = other_start
    return end - length, end


def from_text(text: str) -> datetime:
    """A time as the service and this queue write it."""
    return datetime.fromisoformat(text)


def to_text(time: datetime) -> str:
    """A time as the service reads it. One without a zone is the machine's."""
    return time.astimezone(UTC).isoformat()
