"""``AchievementService``: reports of achievements by games and game servers."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import grpc.aio
from gameshelf.achievements import (
    MAX_IMPORT,
    Achievement,
    AchievementQueries,
    AchievementRarity,
    AchievementService,
    ImportedAchievement,
    NamedAchievement,
    OfflineAchievement,
    ProgressUpdate,
    ReportOutcome,
    UnreadableAchievement,
)
from gameshelf.gateway.domains.achievements.openings import KNOWN, unlocks
from gameshelf.gateway.domains.achievements.refused import RefusedReports, player_source, service_source
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    caller,
    erased_among,
    is_service,
    parse_id,
    parse_message,
    require_few,
    require_read,
    require_write,
)
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.streams import UserErased, UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.kernel.errors import InvalidInput, PermissionDenied, Problem
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import (
    AchievementServiceServicer,
    add_AchievementServiceServicer_to_server,
)

NAME = messages.DESCRIPTOR.services_by_name["AchievementService"].full_name
_SIDE_BY_SIDE = 8


class Achievements(AchievementServiceServicer):
    """Serves reports and reads of progress."""

    def __init__(
        self, transactions: Transactions, acquire: Acquire, streams: UserStreams, refused: RefusedReports
    ) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams
        self._refused = refused

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_AchievementServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def UpdateAchievementProgress(
        self, request: messages.UpdateAchievementProgressRequest, context: GrpcContext
    ) -> messages.UpdateAchievementProgressResponse:
        user_id, report = _report(request)
        by_server = is_service()

        async def update(transaction: Transaction) -> tuple[Achievement, bool]:
            service = transaction.of(AchievementService)
            [progress] = await _identified(service, [report])
            return await service.report(user_id, progress, by_server=by_server)

        with self._refused.noting(user_id, report.achievement, _source()):
            achievement, newly_unlocked = await self._transactions.run(user_id, update, _opening(user_id, [report]))
        KNOWN.learn(achievement.id, achievement.product_id)
        return messages.UpdateAchievementProgressResponse(
            status=achievement_message(achievement), newly_unlocked=newly_unlocked
        )

    async def BatchUpdateAchievementProgress(
        self, request: messages.BatchUpdateAchievementProgressRequest, context: GrpcContext
    ) -> messages.BatchUpdateAchievementProgressResponse:
        require_few(request.updates, "updates")
        results: list[ReportOutcome] = [ReportOutcome(None)] * len(request.updates)
        reports: dict[UUID, list[tuple[int, _Report]]] = defaultdict(list)
        for place, update in enumerate(request.updates):
            user_id, report = _report(update)
            reports[user_id].append((place, report))
        slots, by_server, source = asyncio.Semaphore(_SIDE_BY_SIDE), is_service(), _source()

        async def of_user(user_id: UUID, placed: Sequence[tuple[int, "_Report"]]) -> None:
            async with slots:
                outcomes = await self._report(user_id, [report for _, report in placed], by_server)
            for (place, report), outcome in zip(placed, outcomes, strict=True):
                results[place] = outcome
                if outcome.refusal:
                    self._refused.note(user_id, report.achievement, outcome.refusal, source)
                if outcome.achievement:
                    KNOWN.learn(outcome.achievement.id, outcome.achievement.product_id)

        async with asyncio.TaskGroup() as tasks:
            for user_id, placed in reports.items():
                tasks.create_task(of_user(user_id, placed))
        return messages.BatchUpdateAchievementProgressResponse(results=[_result(one) for one in results])

    async def _report(self, user_id: UUID, reports: Sequence["_Report"], by_server: bool) -> list[ReportOutcome]:
        """Applies one player's reports in one transaction."""

        async def update(transaction: Transaction) -> list[ReportOutcome]:
            service = transaction.of(AchievementService)
            progress = await _identified(service, reports)
            outcomes = await service.report_many(user_id, progress, by_server=by_server)
            if all(outcome.refusal for outcome in outcomes):
                transaction.discard()
            return outcomes

        try:
            return await self._transactions.run(user_id, update, _opening(user_id, reports))
        except UserErased:
            return [ReportOutcome(None, refusal=PermissionDenied())] * len(reports)

    async def ImportAchievements(
        self, request: messages.ImportAchievementsRequest, context: GrpcContext
    ) -> messages.ImportAchievementsResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)
        if not request.achievements:
            raise InvalidInput(Problem("missing", pointer="achievements"))
        if len(request.achievements) > MAX_IMPORT:
            raise InvalidInput(Problem("too_long", pointer="achievements", params={"max_length": MAX_IMPORT}))
        elements = [_offline(one) for one in request.achievements]
        by_server = is_service()
        results = await self._transactions.run(
            user_id,
            lambda transaction: transaction.of(AchievementService).import_achievements(
                user_id, elements, by_server=by_server
            ),
        )
        self._refused.note_import(user_id, elements, results, _source() if by_server else None)
        return messages.ImportAchievementsResponse(results=[_imported(one) for one in results])

    async def GetAchievementStatus(
        self, request: messages.GetAchievementStatusRequest, context: GrpcContext
    ) -> messages.GetAchievementStatusResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        require_few(request.achievement_ids, "achievement_ids")
        achievement_ids = [parse_id(one, "achievement_ids") for one in request.achievement_ids]
        product_id = None if achievement_ids else parse_id(request.product_id, "product_id")
        async with self._acquire() as connection:
            queries = AchievementQueries(connection)
            if await erased_among(self._streams, connection, {user_id}):
                found = []
            elif product_id:
                found = await queries.of_product(user_id, product_id)
            else:
                found = await queries.of_ids(user_id, achievement_ids)
        return messages.GetAchievementStatusResponse(achievements=[achievement_message(one) for one in found])

    async def GetAchievementRarity(
        self, request: messages.GetAchievementRarityRequest, context: GrpcContext
    ) -> messages.GetAchievementRarityResponse:
        product_id = parse_id(request.product_id, "product_id")
        async with self._acquire() as connection:
            found = await AchievementQueries(connection).rarities(product_id)
        return messages.GetAchievementRarityResponse(achievements=[rarity_message(one) for one in found])


@dataclass(frozen=True, slots=True)
class _Report:
    """A player's progress on an achievement, by its id or its name; without ``current`` it is unlocked."""

    achievement: UUID | NamedAchievement
    current: int | None


_UNKNOWN = UUID(int=0)


def _source() -> str:
    """Returns who reports, as refused reports name it."""
    return service_source(caller().user_id) if is_service() else player_source()


def _opening(user_id: UUID, reports: Sequence[_Report]) -> Opening:
    """Opens a change by reports. Only unlocks by id are optimistic.

    Progress is compared with a target. Who lowers it waits for the transactions that may have read it before, so such a
    report has to be one.
    """
    unlocked = [
        one.achievement for one in reports if one.current is None and not isinstance(one.achievement, NamedAchievement)
    ]
    return unlocks(user_id, unlocked) if len(unlocked) == len(reports) else LOCKED


async def _identified(service: AchievementService, reports: Sequence[_Report]) -> list[ProgressUpdate]:
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


def _report(request: messages.UpdateAchievementProgressRequest) -> tuple[UUID, _Report]:
    """Parses a report; returns it with its user. Raises InvalidInput, PermissionDenied."""
    user_id = parse_id(request.user_id, "user_id")
    require_write(user_id)
    if request.current_progress < 0:
        raise InvalidInput(Problem("greater_than_equal", pointer="current_progress", params={"ge": 0}))
    current = None if request.unlock else request.current_progress
    if not request.api_name:
        return user_id, _Report(parse_id(request.achievement_id, "achievement_id"), current)
    if request.achievement_id:
        raise InvalidInput(Problem("exactly_one", pointer="api_name", params={"other": "achievement_id"}))
    product_id = parse_id(request.product_id, "product_id")
    return user_id, _Report(NamedAchievement.from_text(product_id, request.api_name), current)


def _offline(message: messages.OfflineAchievement) -> OfflineAchievement | UnreadableAchievement:
    """Parses an element of an import; an invalid one is rejected alone."""
    try:
        return parse_message(OfflineAchievement, message)
    except InvalidInput:
        return UnreadableAchievement(message.client_id if len(message.client_id) <= 100 else "")


def _imported(result: ImportedAchievement) -> messages.ImportedAchievement:
    return messages.ImportedAchievement(client_id=result.client_id, result=result.result, code=text(result.code))


def _result(outcome: ReportOutcome) -> messages.AchievementUpdateResult:
    return messages.AchievementUpdateResult(
        status=achievement_message(outcome.achievement) if outcome.achievement else None,
        newly_unlocked=outcome.newly_unlocked,
        reason=outcome.refusal.code if outcome.refusal else "",
    )


def achievement_message(of: Achievement) -> messages.AchievementStatus:
    return messages.AchievementStatus(
        achievement_id=str(of.id),
        product_id=str(of.product_id),
        api_name=text(of.api_name),
        is_unlocked=of.is_unlocked,
        unlocked_at=timestamp(of.unlocked_at),
        current_progress=of.current_progress or 0,
        target_progress=of.target or 0,
        is_hidden=of.is_hidden,
        rarity_percentage=of.rarity,
        rarity_at_unlock=of.rarity_at_unlock,
    )


def rarity_message(of: AchievementRarity) -> messages.AchievementRarity:
    return messages.AchievementRarity(
        achievement_id=str(of.id),
        product_id=str(of.product_id),
        api_name=text(of.api_name),
        is_hidden=of.is_hidden,
        rarity_percentage=of.rarity,
    )
