"""Reports of progress, also of many players at once: these share transactions."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from uuid import UUID

from gameshelf.achievements import (
    Achievement,
    AchievementQueries,
    AchievementService,
    NamedAchievement,
    ProgressUpdate,
    ReportOutcome,
)
from gameshelf.gateway.domains.achievements.openings import unlocks
from gameshelf.gateway.runtime.database import BACKGROUND_LOCK_MILLISECONDS, Acquire
from gameshelf.gateway.runtime.failures import concerns_one, is_passing
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import MemberWork, Transaction, Transactions
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.kernel.errors import PermissionDenied

_log = logging.getLogger(__name__)

_MOST_PLAYERS = 50
"""How many share a transaction. Their rows are locked until it ends."""
_MOST_REPORTS = 200
"""How many reports share a transaction. Each of its steps takes the process a few milliseconds, in which no other
request has its turn.
"""
_MOST_OF_ONE = 20
"""A player with more is alone: all others would be locked until the last one of them is applied."""
_SIDE_BY_SIDE = 8

_UNKNOWN = UUID(int=0)
"""No achievement has this id."""


@dataclass(frozen=True, slots=True)
class Report:
    """A player's progress on an achievement, by its id or its name; without ``current`` it is unlocked."""

    achievement: UUID | NamedAchievement
    current: int | None


@dataclass(slots=True)
class AppliedReports:
    """What has become of reports of several players."""

    outcomes: dict[UUID, list[ReportOutcome]] = field(default_factory=dict)
    """The outcome of each report, in the order of each player's."""
    failures: list[Exception] = field(default_factory=list)
    """Why the reports of all other players are not applied. They may be repeated."""


_Progress = Mapping[UUID, Sequence[ProgressUpdate]]
"""The reports of several players, those of each in their order."""


class Reports:
    """Applies reports. Whether the caller may report about a player has been decided before."""

    def __init__(self, transactions: Transactions, acquire: Acquire) -> None:
        self._transactions = transactions
        self._acquire = acquire

    async def apply_one(self, user_id: UUID, report: Report, *, by_server: bool) -> tuple[Achievement, bool]:
        """Returns the achievement after a report, and whether that unlocked it.

        Raises UserErased and what ``AchievementService.report`` does.
        """
        known, current = report.achievement, report.current

        async def update(transaction: Transaction) -> tuple[Achievement, bool]:
            service = transaction.of(AchievementService)
            achievement_id = await service.named_one(known) if isinstance(known, NamedAchievement) else known
            return await service.report(user_id, ProgressUpdate(achievement_id, current), by_server=by_server)

        if isinstance(known, NamedAchievement):
            return await self._transactions.run(user_id, update)
        return await self._transactions.run(user_id, update, _opening(user_id, [ProgressUpdate(known, current)]))

    async def apply_all(self, reports: Mapping[UUID, Sequence[Report]], *, by_server: bool) -> AppliedReports:
        """Applies the reports of several players.

        Up to 50 players with 200 reports share a transaction. Those whose rows are held meanwhile are served alone,
        eight side by side; so are those who shared one that fails, since it may be the fault of any of them. A failure
        that concerns everybody, such as of the database, ends the work: nobody is tried after it.
        """
        progress = await self._identified(reports)
        applied = AppliedReports()
        for players in _groups(progress):
            await self._apply_together(players, by_server, applied)
        slots = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def apply_alone(user_id: UUID) -> None:
            async with slots:
                if not any(map(_concerns_everybody, applied.failures)):
                    await self._apply_alone(user_id, progress[user_id], by_server, applied)

        await asyncio.gather(*(apply_alone(user_id) for user_id in progress.keys() - applied.outcomes.keys()))
        return applied

    async def _identified(self, reports: Mapping[UUID, Sequence[Report]]) -> _Progress:
        """Returns the reports with ids: no achievement has the id that stands for an unknown name. One round trip if
        any of them has a name.
        """
        known = {report.achievement for own in reports.values() for report in own}
        names = [one for one in known if isinstance(one, NamedAchievement)]
        ids: Mapping[NamedAchievement, UUID] = {}
        if names:
            async with self._acquire() as connection:
                ids = await AchievementQueries(connection).named(names)
        return {
            user_id: [
                ProgressUpdate(
                    ids.get(one.achievement, _UNKNOWN)
                    if isinstance(one.achievement, NamedAchievement)
                    else one.achievement,
                    one.current,
                )
                for one in own
            ]
            for user_id, own in reports.items()
        }

    async def _apply_together(self, progress: _Progress, by_server: bool, applied: AppliedReports) -> None:
        """Applies what can be applied together, unless nothing can be applied any more."""
        if applied.failures:
            return
        outcomes: dict[UUID, list[ReportOutcome]] = {}

        def work_of(user_id: UUID) -> MemberWork:
            async def work(transaction: Transaction) -> None:
                outcomes[user_id] = await _report(transaction, user_id, progress[user_id], by_server)

            return work

        try:
            async with self._transactions.begin_group(progress, BACKGROUND_LOCK_MILLISECONDS) as group:
                await group.run({one: work_of(one) for one in group.user_ids}, lambda user_id: nullcontext())
        except Exception as error:
            if _concerns_everybody(error):
                applied.failures.append(error)
            else:
                _log.warning("players can't be served together, so each is served alone: %s", type(error).__name__)
        else:
            applied.outcomes |= outcomes

    async def _apply_alone(
        self, user_id: UUID, progress: Sequence[ProgressUpdate], by_server: bool, applied: AppliedReports
    ) -> None:
        async def update(transaction: Transaction) -> list[ReportOutcome]:
            return await _report(transaction, user_id, progress, by_server)

        try:
            outcomes = await self._transactions.run(user_id, update, _opening(user_id, progress))
        except UserErased:
            outcomes = [ReportOutcome(None, refusal=PermissionDenied())] * len(progress)
        except Exception as error:
            applied.failures.append(error)
            return
        applied.outcomes[user_id] = outcomes


def _groups(progress: _Progress) -> Iterator[_Progress]:
    """Yields the players who may share a transaction; one player alone is in none."""
    together: dict[UUID, Sequence[ProgressUpdate]] = {}
    count = 0
    for user_id, own in progress.items():
        if len(own) > _MOST_OF_ONE:
            continue
        if len(together) == _MOST_PLAYERS or count + len(own) > _MOST_REPORTS:
            yield together
            together, count = {}, 0
        together[user_id] = own
        count += len(own)
    if len(together) > 1:
        yield together


def _concerns_everybody(error: Exception) -> bool:
    return is_passing(error) and not concerns_one(error)


async def _report(
    transaction: Transaction, user_id: UUID, progress: Sequence[ProgressUpdate], by_server: bool
) -> list[ReportOutcome]:
    outcomes = await transaction.of(AchievementService).report_many(user_id, progress, by_server=by_server)
    if all(outcome.refusal for outcome in outcomes):
        transaction.discard()
    return outcomes


def _opening(user_id: UUID, progress: Sequence[ProgressUpdate]) -> Opening:
    """Opens a change by reports. Only unlocks are optimistic.

    Progress is compared with a target. Who lowers it waits for the transactions that may have read it before, so such a
    report has to be one.
    """
    unlocked = [one.achievement_id for one in progress if one.current is None]
    return unlocks(user_id, unlocked) if len(unlocked) == len(progress) else LOCKED
