"""``achievements show|grant|revoke``: a player's achievements."""

from typing import Any
from uuid import UUID

from gameshelf.achievements import Achievement, AchievementNotFound, AchievementQueries, count_unlocked
from gameshelf.gateway.domains.achievements.changes import GrantAchievement, RevokeAchievement, undo
from gameshelf.gateway.domains.achievements.grpc import achievement_message
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ADMIN, change_command, read_command
from gameshelf.gateway.runtime.support.language import current_language
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.database import Connection
from gameshelf.protos.library.v1 import admin_achievements_pb2 as messages

COMMANDS = (
    read_command("achievements show", "ShowAchievements"),
    change_command("achievements grant", "GrantAchievement", ADMIN, undo),
    change_command("achievements revoke", "RevokeAchievement", ADMIN, undo),
)


class AchievementsOfUser:
    """Serves achievements."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ShowAchievements(
        self, request: messages.ShowAchievementsRequest, by: Identity
    ) -> messages.ShowAchievementsResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.reading(user_id) as connection:
            queries = AchievementQueries(connection)
            if request.achievement_id:
                achievement_id = parse_id(request.achievement_id, "achievement_id")
                found = await queries.of_ids(user_id, [achievement_id])
                if not found:
                    raise AchievementNotFound(achievement_id=achievement_id)
                product_id = found[0].product_id
            else:
                product_id = parse_id(request.product_id, "product_id")
                found = await queries.of_product(user_id, product_id)
            titles = await self._context.titles(connection, [product_id])
        return messages.ShowAchievementsResponse(
            achievements=[_shown(one) for one in found], title=titles.get(product_id, "")
        )

    async def GrantAchievement(
        self, request: messages.GrantAchievementRequest, by: Identity
    ) -> messages.GrantAchievementResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        change = GrantAchievement(user_id, parse_id(request.achievement_id, "achievement_id"))
        return messages.GrantAchievementResponse(result=await self._context.make_change(change, options, by))

    async def RevokeAchievement(
        self, request: messages.RevokeAchievementRequest, by: Identity
    ) -> messages.RevokeAchievementResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        change = RevokeAchievement(user_id, parse_id(request.achievement_id, "achievement_id"))
        return messages.RevokeAchievementResponse(result=await self._context.make_change(change, options, by))


def _shown(of: Achievement) -> messages.AdminAchievement:
    return messages.AdminAchievement(
        status=achievement_message(of),
        name=text(_name(of)),
        server_authoritative=of.server_authoritative,
    )


def _name(of: Achievement) -> str | None:
    """Returns the name in the language of the call, else in the other one. Support sees hidden achievements too."""
    if current_language() == "ru":
        return of.name_ru or of.name_en
    return of.name_en or of.name_ru


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    return {"achievements_unlocked": await count_unlocked(connection, user_id)}


OVERVIEW = Overview(_count)
"""Counts achievements for ``user show``."""
