"""The use cases of achievements. They record events and never commit.

Each one that writes first serialises its user, so nothing that it reads changes until it has written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gameshelf.achievements._commands import NamedAchievement, OfflineAchievement, ProgressUpdate, UnreadableAchievement
from gameshelf.achievements._errors import AchievementAlreadyUnlocked, AchievementNotFound
from gameshelf.achievements._events import AchievementLocked, AchievementUnlocked
from gameshelf.achievements._rules import Step, advance, within
from gameshelf.achievements._store import AchievementStore, lookup_states
from gameshelf.achievements._views import Achievement, AchievementState
from gameshelf.kernel.access import ProductAccessHistory
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.errors import DomainError, InvalidInput, PermissionDenied
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock


class Reported(NamedTuple):
    """The result of a report."""

    achievement: Achievement
    """The achievement after the report."""
    newly_unlocked: bool


class SupportedChange(NamedTuple):
    """The change of an achievement by support. Both are the same where nothing had to change."""

    before: Achievement
    after: Achievement


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The result of one report of many: the achievement after it, or the error that refuses it."""

    achievement: Achievement | None
    newly_unlocked: bool = False
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True)
class ImportedAchievement:
    """The result of one element of an import: ``accepted``, ``duplicate`` (it changed nothing), or ``rejected`` with a
    code.
    """

    client_id: str
    result: str
    code: str | None = None


class AchievementService:
    """A user's achievements, over one connection inside a transaction.

    ``access`` decides who may play what; ``record`` receives the events. ``serialise`` lets one transaction at a time
    change a user's achievements: by default an advisory lock, which costs one round trip per call. The numbers of round
    trips below don't include it.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        access: ProductAccessHistory,
        clock: Clock = utc_now,
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = AchievementStore(connection)
        self._record = record
        self._access = access
        self._clock = clock

    @staticmethod
    def lookup(user_id: UUID, reports: Sequence[ProgressUpdate]) -> BoundStatement:
        """Returns what ``report_many`` reads first. The access follows, once the products are known."""
        return lookup_states(user_id, {one.achievement_id for one in reports})

    async def report(self, user_id: UUID, progress: ProgressUpdate, *, by_server: bool = False) -> Reported:
        """Applies a progress report, and unlocks the achievement at its target. An unlocked one does not change.

        ``by_server``: a trusted server reports. Raises AchievementNotFound; PermissionDenied without access to the
        product, or when a player reports an achievement that only servers may unlock. Three round trips.
        """
        [outcome] = await self.report_many(user_id, [progress], by_server=by_server)
        if outcome.achievement is None:
            raise outcome.refusal or AchievementNotFound
        return Reported(outcome.achievement, outcome.newly_unlocked)

    async def unlock(self, user_id: UUID, achievement_id: UUID, *, by_server: bool = False) -> Achievement:
        """Unlocks an achievement, whatever its target is.

        Raises what ``report`` does, and AchievementAlreadyUnlocked.
        """
        reported = await self.report(user_id, ProgressUpdate(achievement_id, None), by_server=by_server)
        if not reported.newly_unlocked:
            raise AchievementAlreadyUnlocked(unlocked_at=reported.achievement.unlocked_at)
        return reported.achievement

    async def report_many(
        self, user_id: UUID, reports: Sequence[ProgressUpdate], *, by_server: bool = False
    ) -> list[ReportOutcome]:
        """Applies reports as if one after the other, in the round trips of one. Returns one result each, in order."""
        await self._serialise(user_id)
        states = await self._store.states(user_id, {one.achievement_id for one in reports})
        products = {one.product_id for one in states.values()}
        barred = await self._access.refusals(user_id, products) if products else {}
        changed: dict[UUID, Achievement] = {}
        unlocked: dict[UUID, Achievement] = {}
        outcomes = []
        now = self._clock()
        for report in reports:
            known = states.get(report.achievement_id)
            refusal = _refusal(known, barred, by_server)
            if known is None or refusal:
                outcomes.append(ReportOutcome(None, refusal=refusal))
                continue
            reached = advance(known.current_progress, known.is_unlocked, known.target, report.current)
            if reached.step is not Step.NOTHING:
                known = states[known.id] = changed[known.id] = known.after(reached, now)
            if reached.step is Step.UNLOCK:
                unlocked[known.id] = known
            outcomes.append(ReportOutcome(known, newly_unlocked=reached.step is Step.UNLOCK))
        if changed:
            await self._store.write(user_id, list(changed.values()), dict.fromkeys(unlocked, 1))
        for one in unlocked.values():
            self._emit_unlocked(user_id, one, now)
        return outcomes

    async def named_one(self, name: NamedAchievement) -> UUID:
        """Returns the id of an achievement. Raises AchievementNotFound. One round trip."""
        found = await self._store.named([name])
        if name not in found:
            raise AchievementNotFound
        return found[name]

    async def import_achievements(
        self, user_id: UUID, elements: Sequence[OfflineAchievement | UnreadableAchievement], *, by_server: bool = False
    ) -> list[ImportedAchievement]:
        """Applies the elements of an import as if one after the other. Returns one result each, in their order.

        A time before the user's first access to the product is moved to it, a time in the future to now. An unlocked
        achievement keeps its time. Four round trips, one more for names and one for products that the user may not
        play.
        """
        await self._serialise(user_id)
        readable = [one for one in elements if isinstance(one, OfflineAchievement)]
        names = {name for one in readable if (name := _name_of(one))}
        by_name = await self._store.named(names) if names else {}
        ids = [_id_of(one, by_name) for one in readable]
        states = await self._store.states(user_id, {one for one in ids if one is not None})
        products = {one.product_id for one in states.values()}
        since = await self._access.first_access(user_id, products) if products else {}
        barred = await self._access.refusals(user_id, products - since.keys()) if products - since.keys() else {}
        changed: dict[UUID, Achievement] = {}
        unlocked: dict[UUID, Achievement] = {}
        results = []
        now = self._clock()
        for one in elements:
            if isinstance(one, UnreadableAchievement):
                results.append(ImportedAchievement(one.client_id, "rejected", InvalidInput.code))
                continue
            achievement_id = _id_of(one, by_name)
            known = states.get(achievement_id) if achievement_id else None
            refusal = _refusal(known, barred, by_server)
            if known is None or refusal:
                code = refusal.code if refusal else AchievementNotFound.code
                results.append(ImportedAchievement(one.client_id, "rejected", code))
                continue
            reached = advance(known.current_progress, known.is_unlocked, known.target, one.current_progress)
            if reached.step is Step.NOTHING:
                results.append(ImportedAchievement(one.client_id, "duplicate"))
                continue
            happened_at = within(one.happened_at, since.get(known.product_id, now), now)
            known = states[known.id] = changed[known.id] = known.after(reached, happened_at)
            if reached.step is Step.UNLOCK:
                unlocked[known.id] = known
            results.append(ImportedAchievement(one.client_id, "accepted"))
        if changed:
            await self._store.write(user_id, list(changed.values()), dict.fromkeys(unlocked, 1))
        for achievement in unlocked.values():
            self._emit_unlocked(user_id, achievement, now)
        return results

    async def grant(self, user_id: UUID, achievement_id: UUID) -> SupportedChange:
        """Unlocks an achievement, for support: also of a product that the user may not play, and one that only servers
        may unlock. An unlocked one does not change. Raises AchievementNotFound. Two round trips.
        """
        await self._serialise(user_id)
        known = await self._known(user_id, achievement_id)
        if known.is_unlocked:
            return SupportedChange(known, known)
        reached = advance(known.current_progress, known.is_unlocked, known.target, None)
        unlocked = known.after(reached, self._clock())
        return await self._put(user_id, known, unlocked.state)

    async def revoke(self, user_id: UUID, achievement_id: UUID) -> SupportedChange:
        """Locks an achievement again, for support. Its progress is deleted: it would unlock it with the next report.

        A locked one does not change and keeps its progress. Raises AchievementNotFound. Two round trips.
        """
        await self._serialise(user_id)
        known = await self._known(user_id, achievement_id)
        return (
            await self._put(user_id, known, AchievementState()) if known.is_unlocked else SupportedChange(known, known)
        )

    async def restore(self, user_id: UUID, achievement_id: UUID, state: AchievementState) -> SupportedChange:
        """Restores the state before a grant or a revocation, with the time and the rarity of the unlock, for support.

        The caller has checked that nothing else has changed meanwhile. Raises AchievementNotFound. Two round trips.
        """
        await self._serialise(user_id)
        return await self._put(user_id, await self._known(user_id, achievement_id), state)

    async def _known(self, user_id: UUID, achievement_id: UUID) -> Achievement:
        states = await self._store.states(user_id, [achievement_id])
        if achievement_id not in states:
            raise AchievementNotFound
        return states[achievement_id]

    async def _put(self, user_id: UUID, before: Achievement, state: AchievementState) -> SupportedChange:
        after = before.put(state)
        if state == AchievementState():
            await self._store.delete_state(user_id, before.id)
        elif state != before.state:
            await self._store.write(user_id, [after], {after.id: after.is_unlocked - before.is_unlocked})
        now = self._clock()
        if after.unlocked_at and not before.is_unlocked:
            self._emit_unlocked(user_id, after, now)
        if before.is_unlocked and not after.is_unlocked:
            self._record(
                AchievementLocked(
                    user_id=user_id, occurred_at=now, achievement_id=after.id, product_id=after.product_id
                )
            )
        return SupportedChange(before, after)

    def _emit_unlocked(self, user_id: UUID, one: Achievement, now: datetime) -> None:
        self._record(
            AchievementUnlocked(
                user_id=user_id,
                occurred_at=now,
                achievement_id=one.id,
                product_id=one.product_id,
                api_name=one.api_name,
                name_ru=one.name_ru,
                name_en=one.name_en,
                unlocked_at=one.unlocked_at or now,
            )
        )

    async def own(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Records that the user owns these products personally, and so counts in their rarities. Idempotent."""
        await self._serialise(user_id)
        await self._store.own(user_id, product_ids)

    async def disown(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Records that the user no longer owns these products. Unlocked achievements stay unlocked."""
        await self._serialise(user_id)
        await self._store.disown(user_id, product_ids)

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes at most ``limit`` rows of a user. Returns whether there may be more."""
        return await self._store.erase_some(user_id, limit)


def _name_of(one: OfflineAchievement) -> NamedAchievement | None:
    if one.product_id is None or one.api_name is None:
        return None
    return NamedAchievement(one.product_id, one.api_name)


def _id_of(one: OfflineAchievement, by_name: Mapping[NamedAchievement, UUID]) -> UUID | None:
    """Returns the id in an element, or the id for the name in it; None where no achievement has the name."""
    name = _name_of(one)
    return by_name.get(name) if name else one.achievement_id


def _refusal(known: Achievement | None, barred: Mapping[UUID, DomainError], by_server: bool) -> DomainError | None:
    if known is None:
        return AchievementNotFound()
    if known.product_id in barred:
        return barred[known.product_id]
    if known.server_authoritative and not by_server:
        return PermissionDenied(reason="server_authoritative")
    return None
