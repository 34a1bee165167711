"""``achievements show|explain|grant|revoke``: a player's achievements."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gameshelf.achievements import (
    MAX_REFUSED,
    Achievement,
    AchievementNotFound,
    AchievementQueries,
    NamedAchievement,
    RefusedAttempts,
    attempt_subject,
    count_unlocked,
    refused_attempts,
)
from gameshelf.gateway.domains.achievements.changes import GrantAchievement, RevokeAchievement, undo
from gameshelf.gateway.domains.achievements.grpc import achievement_message
from gameshelf.gateway.domains.achievements.refused import rule_of
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity, parse_uuid
from gameshelf.gateway.runtime.support.commands import ADMIN, change_command, read_command
from gameshelf.gateway.runtime.support.finding import IdRange
from gameshelf.gateway.runtime.support.language import current_language
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.folding import fold_title
from gameshelf.library import AccessQueries
from gameshelf.protos.library.v1 import admin_achievements_pb2 as messages

COMMANDS = (
    read_command("achievements show", "ShowAchievements"),
    read_command("achievements explain", "ExplainAchievement"),
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

    async def ExplainAchievement(
        self, request: messages.ExplainAchievementRequest, by: Identity
    ) -> messages.ExplainAchievementResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        reported = _named(product_id, request.achievement)
        async with self._context.reading(user_id) as connection:
            queries = AchievementQueries(connection)
            found = await queries.of_product(user_id, product_id)
            known = next((one for one in found if _is(one, reported)), None) or _called(found, request.achievement)
            refused = await refused_attempts(connection, user_id)
            of_ids = await queries.of_ids(user_id, _unknown_ids(refused))
            barred = await AccessQueries(connection).refusals(user_id, [product_id])
            titles = await self._context.titles(connection, [product_id])
        subjects = _subjects(product_id, reported, known)
        others = _others(product_id, [*found, *of_ids], refused)
        return messages.ExplainAchievementResponse(
            title=titles.get(product_id, ""),
            achievement=_shown(known) if known else None,
            access_refusal=rule_of(barred[product_id]) if product_id in barred else "",
            refused=[_refused(one) for one in refused if one.subject in subjects],
            refused_of_others=[_refused(one) for one in others if one.subject not in subjects],
            may_lack_older=len(refused) >= MAX_REFUSED,
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


def _named(product_id: UUID, sent: str) -> UUID | NamedAchievement:
    """Parses an achievement: its id, or its API name. Raises InvalidInput, AchievementNotFound."""
    if not sent:
        raise InvalidInput(Problem("missing", pointer="achievement"))
    try:
        return parse_uuid(sent)
    except ValueError:
        return NamedAchievement.from_text(product_id, sent)


def _is(known: Achievement, reported: UUID | NamedAchievement) -> bool:
    return reported in (known.id, NamedAchievement(known.product_id, known.api_name or ""))


def _called(found: Sequence[Achievement], sent: str) -> Achievement | None:
    """Returns the achievement that players know by this name, whose API name differs from it by upper case, or whose id
    begins so; None if it is none, or several are. Support types what a player wrote.
    """
    if not (wanted := fold_title(sent)):
        return None
    ids = IdRange.of(sent)
    alike = [one for one in found if (ids and ids.low <= one.id <= ids.high) or wanted in _folded_names(one)]
    return alike[0] if len(alike) == 1 else None


def _folded_names(of: Achievement) -> set[str]:
    return {fold_title(name) for name in (of.api_name, of.name_ru, of.name_en) if name}


def _subjects(product_id: UUID, reported: UUID | NamedAchievement, known: Achievement | None) -> list[str]:
    """Returns what reports of the achievement may have named: its id, its API name, and what support asked for."""
    subjects = [attempt_subject(reported)]
    if known is not None:
        subjects.append(attempt_subject(known.id))
        if known.api_name:
            subjects.append(attempt_subject(NamedAchievement(product_id, known.api_name)))
    return subjects


def _unknown_ids(refused: Sequence[RefusedAttempts]) -> list[UUID]:
    """Returns the ids that were reported when no achievement had them. The Catalog may have announced some since."""
    return [UUID(one.subject) for one in refused if "/" not in one.subject and _found_nothing(one)]


def _found_nothing(of: RefusedAttempts) -> bool:
    return of.rule.startswith(AchievementNotFound.code)


def _others(
    product_id: UUID, known: Sequence[Achievement], refused: Sequence[RefusedAttempts]
) -> list[RefusedAttempts]:
    """Returns the reports by names that no achievement of the product has, and by ids that no achievement has."""
    names = {
        attempt_subject(NamedAchievement(product_id, one.api_name))
        for one in known
        if one.product_id == product_id and one.api_name
    }
    ids, of_product = {attempt_subject(one.id) for one in known}, f"{product_id}/"
    return [
        one
        for one in refused
        if (one.subject.startswith(of_product) and one.subject not in names)
        or ("/" not in one.subject and one.subject not in ids and _found_nothing(one))
    ]


def _refused(of: RefusedAttempts) -> messages.RefusedReport:
    return messages.RefusedReport(
        rule=of.rule,
        source=of.source,
        by_name="/" in of.subject,
        attempts=of.attempts,
        first_at=timestamp(of.first_at),
        last_at=timestamp(of.last_at),
        reported=of.subject.partition("/")[2] or of.subject,
    )


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
