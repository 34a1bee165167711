"""The use cases of playtime. They record events and never commit.

Each one that writes asks for serialisation of its user first, so what it reads cannot change until it has written.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from gameshelf.kernel.access import ProductAccessHistory
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.playtime._anomalies import Anomaly
from gameshelf.playtime._commands import OfflineSession, StartSession, UnreadableSession
from gameshelf.playtime._counts import LedgerState, interval_of, played_by_product, read_counts
from gameshelf.playtime._detection import AnomalyDetector
from gameshelf.playtime._errors import CorrectionsExceedPlay, SessionNotFound
from gameshelf.playtime._events import (
    AnomalyFound,
    PlaytimeChanged,
    PlaytimeCorrected,
    ProductPlaytime,
    SessionCopyChanged,
    SessionEnded,
    SessionResumed,
    SessionStarted,
)
from gameshelf.playtime._imports import ImportResult, import_key, repeated_result, session_of
from gameshelf.playtime._models import EndReason
from gameshelf.playtime._ports import Copies, PlayedCopy
from gameshelf.playtime._queries.copies import CopyQueries
from gameshelf.playtime._rules import (
    ImportRefusal,
    Interval,
    end_of_lost_session,
    end_of_session,
    extend,
    free_copy,
    judge_import,
    to_second,
)
from gameshelf.playtime._store.erasure import erase_some
from gameshelf.playtime._store.recompute import RecomputeStore, TotalDiscrepancy
from gameshelf.playtime._store.sessions import SessionStore, StoredSession, lookup_running, lookup_session, new_session
from gameshelf.playtime._store.totals import Played, Total, TotalStore, lookup_totals

DEFAULT_IMPORT_MAX_AGE = timedelta(days=90)
DEFAULT_SILENCE = timedelta(seconds=180)
MAX_CORRECTION = 100 * 365 * 24 * 3600
"""How many seconds one correction may add or take: a hundred years."""


@dataclass(frozen=True, slots=True)
class _SharedCopies:
    """The shared copies of a product: their owners, best first, and when others played them."""

    owners: Sequence[UUID]
    played: Mapping[UUID, Sequence[Interval]]


class PlaytimeService:
    """Playing, over one connection inside a transaction.

    ``access`` decides who may play what, ``copies`` whose copy it is; ``record`` takes the events. ``silence`` is how
    old the checkpointed sign of life of somebody who plays may be. ``serialise`` lets one transaction at a time change
    what is kept of a user: by default an advisory lock, one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        access: ProductAccessHistory,
        copies: Copies,
        clock: Clock = utc_now,
        import_max_age: timedelta = DEFAULT_IMPORT_MAX_AGE,
        silence: timedelta = DEFAULT_SILENCE,
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._connection = connection
        self._sessions = SessionStore(connection)
        self._totals = TotalStore(connection)
        self._anomalies = AnomalyDetector(connection)
        self._recompute = RecomputeStore(connection)
        self._record = record
        self._access = access
        self._copies = copies
        self._copy_queries = CopyQueries(connection)
        self._clock = clock
        self._import_max_age = import_max_age
        self._silence = silence

    @staticmethod
    def lookups_of_start(user_id: UUID, start: StartSession) -> list[BoundStatement]:
        """What ``start`` reads besides the ports."""
        running = lookup_running(user_id, start.product_id, start.device_id or "")
        return [running, lookup_totals(user_id, [start.product_id])]

    @staticmethod
    def lookup_session(user_id: UUID, session_id: UUID) -> BoundStatement:
        """What ``end`` reads first."""
        return lookup_session(user_id, session_id)

    async def start(self, user_id: UUID, start: StartSession) -> tuple[StoredSession, bool]:
        """Starts a session. Returns it, and whether it is new: a device has one session per product.

        Raises what ``copies`` refuses: PermissionDenied without access to the product, for example.
        """
        await self._serialise(user_id)
        device_id = start.device_id or ""
        running = await self._sessions.running_on_device(user_id, start.product_id, device_id)
        now = self._clock()
        if running:
            self._record(SessionResumed(user_id=user_id, occurred_at=now, session_id=running.id))
            return running, False
        started_at, session_id = to_second(now), uuid4()
        copy = await self._copies.take(user_id, start.product_id, session_id)
        session = new_session(session_id, start.product_id, device_id, start.platform, started_at, copy)
        await self._sessions.start(user_id, session)
        before = await self._totals.totals(user_id, [start.product_id])
        played = {start.product_id: Played(last_played_at=started_at)}
        totals = await self._totals.add_played(user_id, played, before)
        self._record(
            SessionStarted(
                user_id=user_id,
                occurred_at=now,
                session_id=session.id,
                product_id=session.product_id,
                device_id=session.device_id,
                platform=session.platform,
                started_at=started_at,
            )
        )
        self._record_changed(user_id, totals)
        return session, True

    async def end(self, user_id: UUID, session_id: UUID, reason: EndReason = EndReason.COMPLETED) -> StoredSession:
        """Ends a session now; one that has ended already stays as it is. Raises SessionNotFound."""
        await self._serialise(user_id)
        session = await self._require_session(user_id, session_id)
        if session.end_time is not None:
            return session
        ended = await self._end(user_id, session, end_of_session(session.start_time, self._clock()), reason)
        return ended or session

    async def end_access(
        self,
        user_id: UUID,
        product_ids: Collection[UUID],
        copy_owner_id: UUID | None = None,
        session_id: UUID | None = None,
    ) -> None:
        """Ends the running sessions of copies that the user may no longer play, their own or an owner's.

        With a ``session_id`` only that session. A session on an owner's copy continues if the user has their own. One
        that was silent before, and may be dead, ends at its last checkpointed sign of life.
        """
        await self._serialise(user_id)
        now = self._clock()
        for session in await self._sessions.running_of_products(user_id, product_ids):
            if session.copy_owner_user_id == copy_owner_id and session_id in (None, session.id):
                if await self._continues_on_own_copy(user_id, session):
                    continue
                ended_at = end_of_lost_session(session.start_time, now, session.last_heartbeat_at, self._silence)
                await self._end(user_id, session, ended_at, EndReason.ACCESS_REVOKED)

    async def continue_on_own_copies(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Moves running sessions of products that the user now owns from shared copies to their own."""
        await self._serialise(user_id)
        for session in await self._sessions.running_of_products(user_id, product_ids):
            if session.copy_owner_user_id is not None:
                await self._change_copy(user_id, session, _OWN)

    async def continue_on_shared_copies(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Moves running sessions of products that the user no longer owns to shared copies with a free seat, or ends
        them as ``end_access`` does.

        Of several devices the one with the latest sign of life comes first; one that has been silent gets no seat.
        """
        await self._serialise(user_id)
        now = self._clock()
        running = await self._sessions.running_of_products(user_id, product_ids)
        own = [session for session in running if session.copy_owner_user_id is None]
        for session in sorted(own, key=lambda session: (session.last_heartbeat_at, session.id), reverse=True):
            is_alive = now - session.last_heartbeat_at <= self._silence
            copy = await self._copies.take_shared(user_id, session.product_id, session.id) if is_alive else None
            if copy:
                await self._change_copy(user_id, session, copy)
            else:
                ended_at = end_of_lost_session(session.start_time, now, session.last_heartbeat_at, self._silence)
                await self._end(user_id, session, ended_at, EndReason.ACCESS_REVOKED)

    async def _continues_on_own_copy(self, user_id: UUID, session: StoredSession) -> bool:
        """Moves a session on a shared copy to the user's own, if they have one. Returns whether it did.

        A purchase does so at once, unless the release before handled it.
        """
        if session.copy_owner_user_id is None or not await self._copies.owns(user_id, session.product_id):
            return False
        await self._change_copy(user_id, session, _OWN)
        return True

    async def _change_copy(self, user_id: UUID, session: StoredSession, copy: PlayedCopy) -> None:
        now = self._clock()
        await self._sessions.change_copy(user_id, session.id, copy, to_second(now))
        self._record(
            SessionCopyChanged(
                user_id=user_id,
                occurred_at=now,
                session_id=session.id,
                product_id=session.product_id,
                copy_owner_user_id=copy.owner_user_id,
                left_owner_user_id=session.copy_owner_user_id,
            )
        )

    async def lose_seat(
        self, user_id: UUID, session_id: UUID, lost_at: datetime, silence: timedelta | None = None
    ) -> bool:
        """Ends a session that lost its seat at ``lost_at``; False when it has ended, or plays the user's own copy.

        A session without a checkpointed sign of life for longer than ``silence``, by default the service's own, ends at
        its last one.
        """
        await self._serialise(user_id)
        session = await self._sessions.session(user_id, session_id)
        if session is None or session.end_time is not None or session.copy_owner_user_id is None:
            return False
        if await self._continues_on_own_copy(user_id, session):
            return False
        ended_at = end_of_lost_session(session.start_time, lost_at, session.last_heartbeat_at, silence or self._silence)
        return await self._end(user_id, session, ended_at, EndReason.SEAT_LOST) is not None

    async def end_for_support(self, user_id: UUID, session_id: UUID) -> bool:
        """Ends a session whose client no longer does; False when it has ended already. Raises SessionNotFound.

        One without a checkpointed sign of life for longer than the service's silence ends at its last one, as by a
        time-out; another one ends now, as if its client had ended it.
        """
        await self._serialise(user_id)
        session = await self._require_session(user_id, session_id)
        if session.end_time is not None:
            return False
        now = self._clock()
        is_silent = now - session.last_heartbeat_at > self._silence
        ended_at = end_of_lost_session(session.start_time, now, session.last_heartbeat_at, self._silence)
        await self._end(user_id, session, ended_at, EndReason.TIMEOUT if is_silent else EndReason.COMPLETED)
        return True

    async def end_dead(self, user_id: UUID, session_id: UUID, last_heartbeat: datetime) -> bool:
        """Ends a session at its last heartbeat; False when it has ended, or has shown a later sign of life."""
        await self._serialise(user_id)
        session = await self._sessions.session(user_id, session_id)
        if session is None or session.end_time is not None:
            return False
        ended_at = end_of_session(session.start_time, last_heartbeat)
        ended = await self._end(user_id, session, ended_at, EndReason.TIMEOUT, not_after=last_heartbeat)
        return ended is not None

    async def _end(
        self,
        user_id: UUID,
        session: StoredSession,
        ended_at: datetime,
        reason: EndReason,
        not_after: datetime | None = None,
    ) -> StoredSession | None:
        """The session as it ended; None when it shows a sign of life later than ``not_after``."""
        played = Interval(session.start_time, ended_at)
        if not_after is not None and not await self._sessions.end_dead(user_id, session.id, played, reason, not_after):
            return None
        ended = replace(session, end_time=ended_at, duration_seconds=played.seconds, end_reason=reason)
        counts = await read_counts(self._connection, user_id, [ended])
        if not_after is None:
            await self._sessions.end(user_id, session.id, played, reason)
        await self._count(user_id, [ended], counts)
        return ended

    async def import_sessions(
        self, user_id: UUID, sent: Sequence[OfflineSession | UnreadableSession]
    ) -> list[ImportResult]:
        """Imports sessions that were played offline. Returns one result per session, in their order.

        The number of statements does not depend on the number of sessions. A repeated client id of a device is a
        duplicate, and with other content rejected with ``IDEMPOTENCY_KEY_REUSED``. A session that cannot be read is
        rejected with ``VALIDATION_ERROR``.
        """
        readable = [one for one in sent if isinstance(one, OfflineSession)]
        results = iter(await self._import(user_id, readable) if readable else ())
        return [
            next(results)
            if isinstance(one, OfflineSession)
            else ImportResult(one.client_session_id, "rejected", InvalidInput.code)
            for one in sent
        ]

    async def _import(self, user_id: UUID, sessions: Sequence[OfflineSession]) -> list[ImportResult]:
        await self._serialise(user_id)
        now = self._clock()
        known = await self._sessions.imported(user_id, [import_key(one) for one in sessions])
        products = {one.product_id for one in sessions}
        since = await self._access.first_access(user_id, products)
        barred = await self._access.refusals(user_id, products - since.keys()) if products - since.keys() else {}
        shared = await self._shared(user_id, set(since), sessions)
        results, fresh = [], []
        for offline in sessions:
            session = session_of(offline)
            before = known.get(import_key(offline))
            if before is not None:
                results.append(repeated_result(before, session))
                continue
            played = Interval(session.start_time, session.end_time or session.start_time)
            refusal = judge_import(played, now, since.get(offline.product_id), self._import_max_age)
            if refusal is not None:
                named = barred.get(offline.product_id) if refusal is ImportRefusal.NO_ACCESS else None
                results.append(ImportResult(offline.client_session_id, "rejected", named.code if named else refusal))
                continue
            copy = shared.get(offline.product_id)
            if copy:
                owner_id = free_copy(played, copy.owners, copy.played)
                if owner_id is None:
                    results.append(ImportResult(offline.client_session_id, "rejected", ImportRefusal.SEAT_BUSY))
                    continue
                session = replace(session, copy_owner_user_id=owner_id)
            known[import_key(offline)] = session
            fresh.append(session)
            results.append(ImportResult(offline.client_session_id, "accepted"))
        if fresh:
            counts = await read_counts(self._connection, user_id, fresh)
            await self._sessions.add_imported(user_id, fresh)
            await self._count(user_id, fresh, counts)
            earliest = min(since[session.product_id] for session in fresh)
            self._record_anomalies(user_id, await self._anomalies.flag_import(user_id, fresh, earliest, now))
        return results

    async def _shared(
        self, user_id: UUID, product_ids: set[UUID], sessions: Sequence[OfflineSession]
    ) -> dict[UUID, "_SharedCopies"]:
        """Those of these products that are shared with the user: the owners of the copies, and when others played."""
        copies = await self._copies.lock_copies(user_id, product_ids)
        pairs = [(owner_id, product_id) for product_id, owners in copies.items() for owner_id in owners]
        if not pairs:
            return {}
        times = [moment for one in sessions for moment in (one.start_time, one.end_time)]
        within = Interval(min(times), max(times))
        players = await self._copies.players({owner_id for owner_id, _ in pairs}, within.start)
        others = await self._copy_queries.played_by(players - {user_id}, pairs, within)
        return {
            product_id: _SharedCopies(owners, {owner_id: others[owner_id, product_id] for owner_id in owners})
            for product_id, owners in copies.items()
            if owners
        }

    async def correct(self, user_id: UUID, product_id: UUID, seconds: int, reason: str) -> int:
        """Adds seconds to a product's total, or subtracts them. Returns the total. For support.

        The opposite correction undoes it. Daily sums and the last two weeks show the ledger, and do not change. Raises
        InvalidInput for zero seconds, for more than a hundred years, and for subtracting more than there are.
        """
        if not 0 < abs(seconds) <= MAX_CORRECTION:
            limits = {"ge": -MAX_CORRECTION, "le": MAX_CORRECTION}
            raise InvalidInput(Problem("correction", pointer="seconds", params=limits))
        await self._serialise(user_id)
        await self._totals.add_correction(user_id, uuid4(), product_id, seconds, reason)
        before = await self._totals.totals(user_id, [product_id])
        totals = await self._totals.add_played(user_id, {product_id: Played(corrected_seconds=seconds)}, before)
        total = totals[product_id].seconds
        if total < 0:
            least = {"ge": seconds - total}
            raise InvalidInput(Problem("greater_than_equal", pointer="seconds", params=least))
        self._record(
            PlaytimeCorrected(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=product_id,
                seconds=seconds,
                total_playtime_seconds=total,
            )
        )
        self._record_changed(user_id, totals)
        return total

    async def discrepancies(self, user_id: UUID, product_id: UUID | None = None) -> list[TotalDiscrepancy]:
        """Returns the products that ``recompute`` would correct."""
        return await self._recompute.discrepancies(user_id, product_id)

    async def recompute(self, user_id: UUID, product_id: UUID | None = None) -> list[TotalDiscrepancy]:
        """Recomputes a product's total and union, or all, from ledger and corrections, and stores them. Returns the
        products that differed.

        For support. Nothing differs unless something is broken. One round trip, up to three more where something does.
        Raises CorrectionsExceedPlay when corrections, made for a wrong total, exceed the right one.
        """
        await self._serialise(user_id)
        wrong = await self._recompute.discrepancies(user_id, product_id)
        for one in wrong:
            if one.counted.total_playtime_seconds < 0:
                raise CorrectionsExceedPlay(
                    reason="corrections_exceed_play",
                    product_id=one.product_id,
                    played_seconds=one.counted.played_seconds,
                    corrected_seconds=one.counted.corrected_seconds,
                )
        if wrong:
            await self._recompute.replace(user_id, wrong)
            counted = {one.product_id: one.counted for one in wrong}
            self._record_changed(
                user_id,
                {key: Total(one.total_playtime_seconds, one.last_played_at) for key, one in counted.items()},
            )
        return wrong

    async def _count(self, user_id: UUID, ended: Sequence[StoredSession], counts: LedgerState) -> None:
        """Adds sessions that ended to the unions and totals of their products, and records their events."""
        removed, added, sums = [], [], {}
        for product_id, new in played_by_product(ended).items():
            extension = extend(counts.touching.get(product_id, ()), new)
            removed += [(product_id, interval) for interval in extension.removed]
            added += [(product_id, interval) for interval in extension.added]
            sums[product_id] = Played(len(new), extension.seconds, last_played_at=max(one.end for one in new))
        await self._totals.replace_intervals(user_id, removed, added)
        totals = await self._totals.add_played(user_id, sums, counts.totals)
        self._record_ended(user_id, ended, totals)
        self._record_changed(user_id, totals)
        await self._anomalies.flag(user_id, counts.long_days)
        self._record_anomalies(user_id, counts.long_days)

    def _record_ended(self, user_id: UUID, ended: Iterable[StoredSession], totals: dict[UUID, Total]) -> None:
        for session in ended:
            total, played = totals[session.product_id], interval_of(session)
            self._record(
                SessionEnded(
                    user_id=user_id,
                    occurred_at=self._clock(),
                    session_id=session.id,
                    product_id=session.product_id,
                    started_at=played.start,
                    ended_at=played.end,
                    duration_seconds=played.seconds,
                    end_reason=session.end_reason or EndReason.IMPORTED,
                    total_playtime_seconds=total.seconds,
                    seat_number=session.seat_number,
                    copy_owner_user_id=session.copy_owner_user_id,
                )
            )

    def _record_changed(self, user_id: UUID, totals: Mapping[UUID, Total]) -> None:
        products = (ProductPlaytime(key, total.seconds, total.last_played_at) for key, total in totals.items())
        self._record(PlaytimeChanged(user_id=user_id, occurred_at=self._clock(), products=tuple(products)))

    def _record_anomalies(self, user_id: UUID, found: Iterable[Anomaly]) -> None:
        for anomaly in found:
            self._record(
                AnomalyFound(
                    user_id=user_id,
                    occurred_at=self._clock(),
                    kind=anomaly.kind,
                    subject=anomaly.subject,
                    seconds=anomaly.seconds,
                )
            )

    async def _require_session(self, user_id: UUID, session_id: UUID) -> StoredSession:
        session = await self._sessions.session(user_id, session_id)
        if session is None:
            raise SessionNotFound
        return session

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes a bounded part of everything that is stored about a user; True while there may be more."""
        return await erase_some(self._connection, user_id, limit)


@dataclass(frozen=True, slots=True)
class _OwnCopy:
    owner_user_id: UUID | None = None
    seat_number: int | None = None


_OWN = _OwnCopy()
