"""``events outbox``, ``events dlq list|replay``: the outbox, and dead letters."""

from datetime import datetime
from uuid import UUID

from gameshelf.gateway.runtime.grpc.calls import parse_optional_id, parse_time
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.outbox.refused import kinds
from gameshelf.gateway.runtime.support.audit import EntryKind, NewEntry, State
from gameshelf.gateway.runtime.support.dead_letters import (
    BEGINNING,
    END,
    Letter,
    LetterFilter,
    Place,
    count_letters,
    list_letters,
    with_user,
)
from gameshelf.gateway.runtime.support.outbox import backlog
from gameshelf.gateway.runtime.support.replay import moment_of, replay_letters, revision_of
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.gateway.runtime.support.rpc.cursors import moment, pack, unpack
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import admin_events_pb2 as messages

MAX_TOPIC, MAX_REASON = 249, 50
_LISTED, _MAX_LISTED = 100, 500
_REPLAYED, _MAX_REPLAYED = 500, 1000


class Events:
    """Serves the outbox and dead letters."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ShowOutbox(self, request: messages.ShowOutboxRequest, by: Identity) -> messages.ShowOutboxResponse:
        async with self._context.acquire() as connection:
            found = await backlog(connection)
            refused, is_more_refused = await kinds(connection)
        return messages.ShowOutboxResponse(
            pending=sum(one.pending for one in found.topics),
            lag_seconds=found.lag_seconds,
            topics=[
                messages.OutboxTopic(
                    topic=one.topic,
                    pending=one.pending,
                    oldest_at=timestamp(one.oldest_at),
                    is_more=one.is_more,
                )
                for one in found.topics
            ],
            forwarded=found.forwarded,
            is_more=found.is_more,
            refused=[
                messages.RefusedRecords(
                    topic=one.topic,
                    reason=one.reason,
                    count=one.count,
                    oldest_at=timestamp(one.oldest_at),
                    detail=one.detail,
                )
                for one in refused
            ],
            is_more_refused=is_more_refused,
        )

    async def ListDeadLetters(
        self, request: messages.ListDeadLettersRequest, by: Identity
    ) -> messages.ListDeadLettersResponse:
        wanted, after = _filter(request.filter), _place(request.cursor)
        limit = _limit(request.limit, _LISTED, _MAX_LISTED)
        async with self._context.acquire() as connection:
            wanted = await with_user(connection, wanted)
            part = await list_letters(connection, wanted, after, limit)
            counted = None if request.cursor else await count_letters(connection, wanted)
        return messages.ListDeadLettersResponse(
            dead_letters=[_letter(one) for one in part.letters],
            next_cursor=_cursor(part.next),
            total=counted.total if counted else 0,
            is_more=counted.is_more if counted else False,
        )

    async def ReplayDeadLetters(
        self, request: messages.ReplayDeadLettersRequest, by: Identity
    ) -> messages.ReplayDeadLettersResponse:
        wanted, after, options = _filter(request.filter), _place(request.cursor), parse_options(request.change)
        limit = _limit(request.limit, _REPLAYED, _MAX_REPLAYED)
        options.require()
        if not options.apply:
            return await self._count(wanted)
        seen_at = moment_of(options.revision)
        meant = LetterFilter(
            wanted.topic, wanted.reason, wanted.user_id, wanted.since, min(wanted.until, seen_at), wanted.id
        )
        audit_id: int | None = None
        async with self._context.acquire() as connection, connection.transaction():
            done = await replay_letters(connection, await with_user(connection, meant), after, limit)
            if done.sent:
                target = {**_audited_filter(request.filter), "until": _time_text(meant.until), "cursor": request.cursor}
                entry = NewEntry(
                    EntryKind.CHANGE,
                    "events dlq replay",
                    wanted.user_id,
                    target,
                    options.reason,
                    {"letters": done.sent + done.left, "replayed": 0},
                    {"letters": done.left, "replayed": done.sent},
                    ticket=options.ticket,
                )
                audit_id = await self._context.audit.add_entry(connection, by, entry)
        return messages.ReplayDeadLettersResponse(
            next_cursor=_cursor(done.next), replayed=done.sent, left=done.left, audit_id=text(audit_id)
        )

    async def _count(self, wanted: LetterFilter) -> messages.ReplayDeadLettersResponse:
        async with self._context.acquire() as connection:
            found = await count_letters(connection, await with_user(connection, wanted))
        return messages.ReplayDeadLettersResponse(
            total=found.total,
            is_more=found.is_more,
            revision=revision_of(found.at),
            counts=[
                messages.DeadLetterCount(topic=one.topic, reason=one.reason, count=one.count, can_replay=one.can_replay)
                for one in found.kinds
            ],
        )


def _filter(sent: messages.DeadLetterFilter) -> LetterFilter:
    """Parses the filter of a request. Raises InvalidInput."""
    for name, longest in (("topic", MAX_TOPIC), ("reason", MAX_REASON)):
        if len(getattr(sent, name)) > longest or "\0" in getattr(sent, name):
            raise InvalidInput(Problem("string_too_long", pointer=f"filter/{name}", params={"max_length": longest}))
    return LetterFilter(
        sent.topic or None,
        sent.reason or None,
        parse_optional_id(sent.user_id, "filter/user_id"),
        parse_time(sent.since, "filter/since") if sent.HasField("since") else BEGINNING,
        parse_time(sent.until, "filter/until") if sent.HasField("until") else END,
        parse_optional_id(sent.dead_letter_id, "filter/dead_letter_id"),
    )


def _audited_filter(sent: messages.DeadLetterFilter) -> State:
    """Returns a filter in the form of the audit, without the user, which has its own column."""
    stored = {"topic": sent.topic, "reason": sent.reason, "dead_letter_id": sent.dead_letter_id}
    if sent.HasField("since"):
        stored["since"] = _time_text(parse_time(sent.since, "filter/since"))
    return {name: value for name, value in stored.items() if value}


def _time_text(at: datetime) -> str:
    """Formats a time in the form of the audit."""
    return at.isoformat().replace("+00:00", "Z")


def _limit(sent: int, usual: int, most: int) -> int:
    if not 0 <= sent <= most:
        raise InvalidInput(Problem("out_of_range", pointer="limit", params={"ge": 0, "le": most}))
    return sent or usual


def _cursor(place: Place | None) -> str:
    if place is None:
        return ""
    return pack(place.created_at, place.id)


def _place(cursor: str) -> Place:
    """Decodes the place of a cursor. Raises InvalidInput."""
    return Place(*unpack(cursor, moment, UUID)) if cursor else Place()


def _letter(of: Letter) -> messages.DeadLetter:
    return messages.DeadLetter(
        dead_letter_id=str(of.id),
        user_id=text(of.user_id),
        topic=of.topic,
        reason=of.reason,
        detail=of.detail,
        created_at=timestamp(of.created_at),
        value=of.value or b"",
        value_size=of.value_size,
        key=of.key,
        can_replay=of.can_replay,
    )
