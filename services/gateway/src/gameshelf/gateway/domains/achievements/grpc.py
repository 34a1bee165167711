"""``AchievementService``: reports of achievements by games and game servers."""

from collections import defaultdict
from collections.abc import Sequence
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
    ReportOutcome,
    UnreadableAchievement,
)
from gameshelf.gateway.domains.achievements.openings import KNOWN
from gameshelf.gateway.domains.achievements.refused import RefusedReports, player_source, service_source
from gameshelf.gateway.domains.achievements.reports import Report, Reports
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
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import (
    AchievementServiceServicer,
    add_AchievementServiceServicer_to_server,
)

NAME = messages.DESCRIPTOR.services_by_name["AchievementService"].full_name


class Achievements(AchievementServiceServicer):
    """Serves reports and reads of progress."""

    def __init__(
        self, transactions: Transactions, acquire: Acquire, streams: UserStreams, refused: RefusedReports
    ) -> None:
        self._transactions = transactions
        self._reports = Reports(transactions, acquire)
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
        with self._refused.noting(user_id, report.achievement, _source()):
            achievement, newly_unlocked = await self._reports.apply_one(user_id, report, by_server=is_service())
        KNOWN.learn(achievement.id, achievement.product_id)
        return messages.UpdateAchievementProgressResponse(
            status=achievement_message(achievement), newly_unlocked=newly_unlocked
        )

    async def BatchUpdateAchievementProgress(
        self, request: messages.BatchUpdateAchievementProgressRequest, context: GrpcContext
    ) -> messages.BatchUpdateAchievementProgressResponse:
        require_few(request.updates, "updates")
        updates = [_report(update) for update in request.updates]
        reports: dict[UUID, list[Report]] = defaultdict(list)
        for user_id, report in updates:
            reports[user_id].append(report)
        applied = await self._reports.apply_all(reports, by_server=is_service())
        source = _source()
        for user_id, outcomes in applied.outcomes.items():
            self._note(user_id, reports[user_id], outcomes, source)
        if applied.failures:
            raise ExceptionGroup("the reports of some players are not applied", applied.failures)
        of_player = {user_id: iter(outcomes) for user_id, outcomes in applied.outcomes.items()}
        results = [_result(next(of_player[user_id])) for user_id, _ in updates]
        return messages.BatchUpdateAchievementProgressResponse(results=results)

    def _note(self, user_id: UUID, reports: Sequence[Report], outcomes: Sequence[ReportOutcome], source: str) -> None:
        """Notes what was refused, and learns the products of the others."""
        for report, outcome in zip(reports, outcomes, strict=True):
            if outcome.refusal:
                self._refused.note(user_id, report.achievement, outcome.refusal, source)
            if outcome.achievement:
                KNOWN.learn(outcome.achievement.id, outcome.achievement.product_id)

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


def _source() -> str:
    """Returns who reports, as refused reports name it."""
    return service_source(caller().user_id) if is_service() else player_source()


def _report(request: messages.UpdateAchievementProgressRequest) -> tuple[UUID, Report]:
    """Parses a report; returns it with its user. Raises InvalidInput, PermissionDenied."""
    user_id = parse_id(request.user_id, "user_id")
    require_write(user_id)
    if request.current_progress < 0:
        raise InvalidInput(Problem("greater_than_equal", pointer="current_progress", params={"ge": 0}))
    current = None if request.unlock else request.current_progress
    if not request.api_name:
        return user_id, Report(parse_id(request.achievement_id, "achievement_id"), current)
    if request.achievement_id:
        raise InvalidInput(Problem("exactly_one", pointer="api_name", params={"other": "achievement_id"}))
    product_id = parse_id(request.product_id, "product_id")
    return user_id, Report(NamedAchievement.from_text(product_id, request.api_name), current)


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
