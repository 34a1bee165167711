"""Reports of progress, also of many players at once: these share transactions."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID

from gameshelf.achievements import Achievement, AchievementService, NamedAchievement, ProgressUpdate, ReportOutcome
from gameshelf.gateway.domains.achievements.openings import unlocks
from gameshelf.gateway.runtime.database import BACKGROUND_LOCK_MILLISECONDS
from gameshelf.gateway.runtime.failures import concerns_one, is_passing
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import MemberWork, Transaction, Transactions
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.kernel.errors import PermissionDenied

_log = logging.getLogger(__name__)

_MOST_PLAYERS = 50
"""How many share a transaction. Each of its steps takes the process a few milliseconds, in which no other request has
its turn.
"""
_MOST_REPORTS = 20
"""A player with more is alone: all others would be locked until the last one of them is applied."""
_SIDE_BY_SIDE = 8

_UNKNOWN = UUID(int=0)
"""No achievement has this id."""


@dataclass(frozen=True, slots=True)
class Report:
    """A player's progress on an achievement, by its id or its name; without ``current`` it is unlocked."""

    achievement: UUID | NamedAchievement
    current: int | None


ReportsOfPlayers = Mapping[UUID, Sequence[Report]]
"""The reports of several players, those of each in their order."""


class Reports:
    """Applies reports. Whether the caller may report about a player has been decided before."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def apply_one(self, user_id: UUID, report: Report, *, by_server: bool) -> tuple[Achievement, bool]:
        """Returns the achievement after a report, and whether that unlocked it.

        Raises UserErased and what ``AchievementService.report`` does.
        """

        async def update(transaction: Transaction) -> tuple[Achievement, bool]:
            service = transaction.of(AchievementService)
            [progress] = await _identified(service, [report])
            return await service.report(user_id, progress, by_server=by_server)

        return await self._transactions.run(user_id, update, _opening(user_id, [report]))

    async def apply_all(self, reports: ReportsOfPlayers, *, by_server: bool) -> dict[UUID, list[ReportOutcome]]:
        """Returns the outcome of each report, in the order of each player's.

        Up to 50 players share a transaction. Those whose rows are held meanwhile are served alone, eight side by side;
        so are those who shared one that fails, since it may be the fault of any of them. Raises an ExceptionGroup of
        what failed; the reports of all others are applied then, and may be repeated.
        """
        outcomes: dict[UUID, list[ReportOutcome]] = {}
        for players in _groups(reports):
            outcomes |= await self._apply_together(players, by_server)
        slots = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def apply_alone(user_id: UUID) -> None:
            async with slots:
                outcomes[user_id] = await self._apply(user_id, reports[user_id], by_server)

        alone = [apply_alone(user_id) for user_id in reports.keys() - outcomes.keys()]
        failures = [one for one in await asyncio.gather(*alone, return_exceptions=True) if isinstance(one, Exception)]
        if failures:
            raise ExceptionGroup("the reports of some players failed; those of the others are applied", failures)
        return outcomes

    async def _apply_together(self, reports: ReportsOfPlayers, by_server: bool) -> dict[UUID, list[ReportOutcome]]:
        """Returns the outcomes of those who could be served together."""
        outcomes: dict[UUID, list[ReportOutcome]] = {}

        def work_of(user_id: UUID) -> MemberWork:
            async def work(transaction: Transaction) -> None:
                outcomes[user_id] = await _report(transaction, user_id, reports[user_id], by_server)

            return work

        try:
            async with self._transactions.begin_group(reports, BACKGROUND_LOCK_MILLISECONDS) as group:
                await group.run({one: work_of(one) for one in group.user_ids}, lambda user_id: nullcontext())
        except Exception as error:
            if is_passing(error) and not concerns_one(error):
                raise
            _log.warning("players can't be served together, so each is served alone: %s", type(error).__name__)
            return {}
        return outcomes

    async def _apply(self, user_id: UUID, reports: Sequence[Report], by_server: bool) -> list[ReportOutcome]:
        async def update(transaction: Transaction) -> list[ReportOutcome]:
            return await _report(transaction, user_id, reports, by_server)

        try:
            return await self._transactions.run(user_id, update, _opening(user_id, reports))
        except UserErased:
            return [ReportOutcome(None, refusal=PermissionDenied())] * len(reports)


def _groups(reports: ReportsOfPlayers) -> Iterator[ReportsOfPlayers]:
    """Yields the players who may share a transaction; one player alone is in none."""
    players = [user_id for user_id, own in reports.items() if len(own) <= _MOST_REPORTS]
    for start in range(0, len(players), _MOST_PLAYERS):
        together = players[start : start + _MOST_PLAYERS]
        if len(together) > 1:
            yield {user_id: reports[user_id] for user_id in together}


async def _report(
    transaction: Transaction, user_id: UUID, reports: Sequence[Report], by_server: bool
) -> list[ReportOutcome]:
    service = transaction.of(AchievementService)
    progress = await _identified(service, reports)
    outcomes = await service.report_many(user_id, progress, by_server=by_server)
    if all(outcome.refusal for outcome in outcomes):
        transaction.discard()
    return outcomes


def _opening(user_id: UUID, reports: Sequence[Report]) -> Opening:
    """Opens a change by reports. Only unlocks by id are optimistic.

    Progress is compared with a target. Who lowers it waits for the transactions that may have read it before, so such a
    report has to be one.
    """
    unlocked = [
        one.achievement for one in reports if one.current is None and not isinstance(one.achievement, NamedAchievement)
    ]
    return unlocks(user_id, unlocked) if len(unlocked) == len(reports) else LOCKED


async def _identified(service: AchievementService, reports: Sequence[Report]) -> list[ProgressUpdate]:
    """Returns the reports with ids: no achievement has the id that stands for an unknown name. One round trip if a
    report has a name.
    """
    names = {one.achievement for one in reports if isinstance(one.achievement, NamedAchievement)}
    ids = await service.named(names) if names else {}
    return [
        ProgressUpdate(
            ids.get(one.achievement, _UNKNOWN) if isinstance(one.achievement, NamedAchievement) else one.achievement,
            one.current,
        )
        for one in reports
    ]
