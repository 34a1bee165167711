"""REST of achievements (contract, section 3.4)."""

from typing import Any
from uuid import UUID

from gameshelf.achievements import (
    Achievement,
    AchievementQueries,
    AchievementRarity,
    AchievementService,
    ImportAchievements,
    ImportedAchievement,
    Language,
    NamedAchievement,
    ProductAchievements,
    Progress,
    ReportProgress,
    SummaryFilter,
)
from gameshelf.gateway.domains.achievements.resources import (
    ACHIEVEMENT_RARITY,
    ACHIEVEMENT_STATUS,
    IMPORTED_ACHIEVEMENT,
    PRODUCT_ACHIEVEMENTS,
)
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.idempotency import results_of
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write

routes = Routes("achievements")

_STATUS_AND_NEWS = schemas.closed(
    {"data": ACHIEVEMENT_STATUS, "meta": schemas.closed({"newly_unlocked": {"type": "boolean"}})}
)
_REFUSES_PROGRESS = ("ACHIEVEMENT_NOT_FOUND", "PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED")
_REFUSES_UNLOCK = (*_REFUSES_PROGRESS, "ACHIEVEMENT_ALREADY_UNLOCKED")


@routes.read("/achievements/status/<uuid:product_id>", answers=schemas.listing(ACHIEVEMENT_STATUS))
async def list_achievements(read: Read, product_id: UUID) -> Reply:
    """Every achievement of a product, with the player's state of it."""
    found = await read.of(AchievementQueries).of_product(read.user_id, product_id)
    return ok({"data": [status(one, read.language) for one in found]})


@routes.read("/achievements/rarity/<uuid:product_id>", answers=schemas.listing(ACHIEVEMENT_RARITY))
async def list_rarities(read: Read, product_id: UUID) -> Reply:
    """How rare each achievement of a product is, for a store page: whether the player owns it does not matter."""
    found = await read.of(AchievementQueries).rarities(product_id)
    return ok({"data": [rarity(one, read.language) for one in found]})


@routes.write(
    "POST",
    "/achievements/<uuid:achievement_id>/progress",
    body=ReportProgress,
    answers=_STATUS_AND_NEWS,
    refuses=_REFUSES_PROGRESS,
)
async def report_progress(write: Write, achievement_id: UUID, body: ReportProgress) -> Reply:
    """Says how far the player is now; it never goes back, and unlocks at the total."""
    progress = Progress(achievement_id, body.current_progress)
    achievement, newly_unlocked = await write.of(AchievementService).report(write.user_id, progress)
    return ok({"data": status(achievement, write.language), "meta": {"newly_unlocked": newly_unlocked}})


@routes.write(
    "POST",
    "/achievements/by-name/<uuid:product_id>/<text:api_name>/progress",
    body=ReportProgress,
    answers=_STATUS_AND_NEWS,
    refuses=_REFUSES_PROGRESS,
)
async def report_progress_by_name(write: Write, product_id: UUID, api_name: str, body: ReportProgress) -> Reply:
    """The same by the name that the game's developer gave it."""
    achievement_id = await write.of(AchievementService).named_one(NamedAchievement.of(product_id, api_name))
    return await report_progress(write, achievement_id, body)


@routes.write(
    "POST",
    "/achievements/<uuid:achievement_id>/unlock",
    answers=schemas.single(ACHIEVEMENT_STATUS),
    refuses=_REFUSES_UNLOCK,
)
async def unlock_achievement(write: Write, achievement_id: UUID) -> Reply:
    """Unlocks an achievement; the second time it is refused."""
    unlocked = await write.of(AchievementService).unlock(write.user_id, achievement_id)
    return ok({"data": status(unlocked, write.language)})


@routes.write(
    "POST",
    "/achievements/by-name/<uuid:product_id>/<text:api_name>/unlock",
    answers=schemas.single(ACHIEVEMENT_STATUS),
    refuses=_REFUSES_UNLOCK,
)
async def unlock_achievement_by_name(write: Write, product_id: UUID, api_name: str) -> Reply:
    """The same by the name that the game's developer gave it."""
    achievement_id = await write.of(AchievementService).named_one(NamedAchievement.of(product_id, api_name))
    return await unlock_achievement(write, achievement_id)


async def imported_again(write: Write, kept: Any, body: ImportAchievements) -> Any:
    """The first answer to an import, of its results."""
    results = zip(body.achievements, kept["brief"], strict=True)
    return {"data": [imported(ImportedAchievement(one.client_id, *said)) for one, said in results]}


@routes.write(
    "POST",
    "/achievements/import",
    body=ImportAchievements,
    answers=schemas.listing(IMPORTED_ACHIEVEMENT),
    brief=results_of,
    renew=imported_again,
)
async def import_achievements(write: Write, body: ImportAchievements) -> Reply:
    """Takes over up to 100 unlocks and reports of progress that happened offline; one result each, in their order."""
    results = await write.of(AchievementService).import_achievements(write.user_id, body.achievements)
    return ok({"data": [imported(one) for one in results]})


@routes.read(
    "/achievements/summary",
    query=SummaryFilter,
    answers=schemas.collection(schemas.named(PRODUCT_ACHIEVEMENTS)),
)
async def summarize_achievements(read: Read, query: SummaryFilter) -> Reply:
    """How far the player is with each product, the one with the newest unlock first."""
    found = await read.of(AchievementQueries).summary(read.user_id, query.slice, query.product_ids)
    shown = await with_titles(read, [summary(one) for one in found.items])
    path = f"{BASE}/achievements/summary"
    return Reply(200, collection(path, parameters(query), shown, found.total, query.slice))


def status(of: Achievement, language: Language) -> dict[str, Any]:
    """The resource ``userAchievementStatus``."""
    progress = {"current": of.current_progress or 0, "total": of.target} if of.target else None
    return {
        "type": "userAchievementStatus",
        "id": of.id,
        "attributes": {
            "product_id": of.product_id,
            "api_name": of.api_name,
            "name": of.name(language),
            "description": of.description(language),
            "icon_url_locked": of.icon_url_locked,
            "icon_url_unlocked": of.icon_url_unlocked,
            "is_hidden": of.is_hidden,
            "is_unlocked": of.is_unlocked,
            "unlocked_at": of.unlocked_at,
            "current_progress": progress,
            "rarity_percentage": of.rarity,
            "rarity_at_unlock": of.rarity_at_unlock,
        },
    }


def rarity(of: AchievementRarity, language: Language) -> dict[str, Any]:
    """The resource ``achievementRarity``."""
    return {
        "type": "achievementRarity",
        "id": of.id,
        "attributes": {
            "product_id": of.product_id,
            "api_name": of.api_name,
            "name": of.name(language),
            "description": of.description(language),
            "icon_url_locked": of.icon_url_locked,
            "icon_url_unlocked": of.icon_url_unlocked,
            "is_hidden": of.is_hidden,
            "rarity_percentage": of.rarity,
        },
    }


def imported(of: ImportedAchievement) -> dict[str, Any]:
    """The resource ``importedAchievement``."""
    return {
        "type": "importedAchievement",
        "id": of.client_id,
        "attributes": {"client_id": of.client_id, "result": of.result, "code": of.code},
    }


def summary(of: ProductAchievements) -> dict[str, Any]:
    """The resource ``productAchievements``."""
    return {
        "type": "productAchievements",
        "id": of.product_id,
        "attributes": {
            "product_id": of.product_id,
            "unlocked": of.unlocked,
            "total": of.total,
            "percentage": of.percentage,
            "last_unlocked_at": of.last_unlocked_at,
        },
    }
