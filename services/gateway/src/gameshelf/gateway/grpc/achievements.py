"""``AchievementService``: what games and game servers report of achievements."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import grpc.aio
from gameshelf.achievements import AchievementQueries, AchievementService, Outcome, Progress
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.grpc import convert
from gameshelf.gateway.grpc.calls import (
    erased_among,
    is_service,
    parse_id,
    require_few,
    require_read,
    require_write,
)
from gameshelf.gateway.streams import UserErased, UserStreams
from gameshelf.gateway.transaction import Transactions
from gameshelf.kernel.errors import InvalidInput, PermissionDenied, Problem
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import (
    AchievementServiceServicer,
    add_AchievementServiceServicer_to_server,
)

NAME = messages.DESCRIPTOR.services_by_name["AchievementService"].full_name
_SIDE_BY_SIDE = 8

Context = grpc.aio.ServicerContext[Any, Any]


class Achievements(AchievementServiceServicer):
    """Serves reports of progress, and how far players are."""

    def __init__(self, transactions: Transactions, acquire: Acquire, streams: UserStreams) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; its full name."""
        add_AchievementServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def UpdateAchievementProgress(
        self, request: messages.UpdateAchievementProgressRequest, context: Context
    ) -> messages.UpdateAchievementProgressResponse:
        user_id, progress = _report(request)
        async with self._transactions.begin(user_id) as transaction:
            service = transaction.of(AchievementService)
            achievement, newly_unlocked = await service.report(user_id, progress, by_server=is_service())
        return messages.UpdateAchievementProgressResponse(
            status=convert.achievement(achievement), newly_unlocked=newly_unlocked
        )

    async def BatchUpdateAchievementProgress(
        self, request: messages.BatchUpdateAchievementProgressRequest, context: Context
    ) -> messages.BatchUpdateAchievementProgressResponse:
        require_few(request.updates, "updates")
        results: list[Outcome] = [Outcome(None)] * len(request.updates)
        reports: dict[UUID, list[tuple[int, Progress]]] = defaultdict(list)
        for place, update in enumerate(request.updates):
            user_id, progress = _report(update)
            reports[user_id].append((place, progress))
        slots, by_server = asyncio.Semaphore(_SIDE_BY_SIDE), is_service()

        async def of_user(user_id: UUID, placed: Sequence[tuple[int, Progress]]) -> None:
            async with slots:
                outcomes = await self._report(user_id, [progress for _, progress in placed], by_server)
            for (place, _), outcome in zip(placed, outcomes, strict=True):
                results[place] = outcome

        async with asyncio.TaskGroup() as tasks:
            for user_id, placed in reports.items():
                tasks.create_task(of_user(user_id, placed))
        return messages.BatchUpdateAchievementProgressResponse(results=[_result(one) for one in results])

    async def _report(self, user_id: UUID, reports: Sequence[Progress], by_server: bool) -> list[Outcome]:
        """One player's reports, in a transaction of their own."""
        try:
            async with self._transactions.begin(user_id) as transaction:
                service = transaction.of(AchievementService)
                outcomes = await service.report_many(user_id, reports, by_server=by_server)
                if all(outcome.refusal for outcome in outcomes):
                    transaction.discard()
        except UserErased:
            return [Outcome(None, refusal=PermissionDenied())] * len(reports)
        return outcomes

    async def GetAchievementStatus(
        self, request: messages.GetAchievementStatusRequest, context: Context
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
        return messages.GetAchievementStatusResponse(achievements=[convert.achievement(one) for one in found])


def _report(request: messages.UpdateAchievementProgressRequest) -> tuple[UUID, Progress]:
    """Whose report it is, and what it says. Raises InvalidInput, PermissionDenied."""
    user_id = parse_id(request.user_id, "user_id")
    require_write(user_id)
    achievement_id = parse_id(request.achievement_id, "achievement_id")
    if request.current_progress < 0:
        raise InvalidInput(Problem("greater_than_equal", pointer="current_progress", params={"ge": 0}))
    return user_id, Progress(achievement_id, request.current_progress)


def _result(outcome: Outcome) -> messages.AchievementUpdateResult:
    return messages.AchievementUpdateResult(
        status=convert.achievement(outcome.achievement) if outcome.achievement else None,
        newly_unlocked=outcome.newly_unlocked,
        reason=outcome.refusal.code if outcome.refusal else "",
    )
