"""REST of achievements (contract, section 3.4)."""

from typing import Any
from uuid import UUID

from gameshelf.achievements import (
    AchievementQueries,
    AchievementService,
    AchievementSummaryFilter,
    ImportAchievements,
    ImportedAchievement,
    NamedAchievement,
    ProgressUpdate,
    ReportProgress,
)
from gameshelf.gateway.domains.achievements.openings import KNOWN, unlock
from gameshelf.gateway.domains.achievements.refused import RefusedReports
from gameshelf.gateway.domains.achievements.resources import (
    ACHIEVEMENT_RARITY,
    ACHIEVEMENT_STATUS,
    IMPORTED_ACHIEVEMENT,
    PRODUCT_ACHIEVEMENTS,
    REPORTED_PROGRESS,
)
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.idempotency import results_excerpt
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write

routes = Routes(
    "achievements",
    "Achievements of products: progress, unlocks and rarity.",
    {
        "product_id": ("Id of the product.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
        "achievement_id": ("Id of the achievement.", "eccbc87e-4b5c-42fe-a830-8fd9f2a7baf3"),
        "api_name": (
            "Name that the developer of the game uses. It is compared exactly; a `/` in it is sent as `%2F`.",
            "FIRST_BLOOD",
        ),
    },
)

_REFUSES_PROGRESS = ("ACHIEVEMENT_NOT_FOUND", "PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED")
_REFUSES_UNLOCK = (*_REFUSES_PROGRESS, "ACHIEVEMENT_ALREADY_UNLOCKED")


@routes.read("/achievements/status/<uuid:product_id>", answers=ACHIEVEMENT_STATUS.listing)
async def list_achievements(read: Read, product_id: UUID) -> Reply:
    """Lists the achievements of a product.

    Returns every achievement of the product, with the progress of the user. The list is empty for a product without
    achievements.
    """
    found = await read.of(AchievementQueries).of_product(read.user_id, product_id)
    return ok({"data": [ACHIEVEMENT_STATUS.render(one, read.language) for one in found]})


@routes.read("/achievements/rarity/<uuid:product_id>", answers=ACHIEVEMENT_RARITY.listing)
async def list_rarities(read: Read, product_id: UUID) -> Reply:
    """Lists the rarity of the achievements of a product.

    The user need not own the product, so a store page can show the list.
    """
    found = await read.of(AchievementQueries).rarities(product_id)
    return ok({"data": [ACHIEVEMENT_RARITY.render(one, read.language) for one in found]})


@routes.write(
    "POST",
    "/achievements/<uuid:achievement_id>/progress",
    body=ReportProgress,
    example={"current_progress": 40},
    answers=REPORTED_PROGRESS,
    refuses=_REFUSES_PROGRESS,
)
async def report_progress(write: Write, achievement_id: UUID, body: ReportProgress, refused: RefusedReports) -> Reply:
    """Reports progress.

    Needs access to the product. Progress never goes back; an achievement unlocks when its target is reached.
    `meta.newly_unlocked` shows whether this report has unlocked it.
    """
    progress = ProgressUpdate(achievement_id, body.current_progress)
    with refused.noting(write.user_id, achievement_id):
        achievement, newly_unlocked = await write.of(AchievementService).report(write.user_id, progress)
    shown = ACHIEVEMENT_STATUS.render(achievement, write.language)
    return ok({"data": shown, "meta": {"newly_unlocked": newly_unlocked}})


@routes.write(
    "POST",
    "/achievements/by-name/<uuid:product_id>/<text:api_name>/progress",
    body=ReportProgress,
    example={"current_progress": 40},
    answers=REPORTED_PROGRESS,
    refuses=_REFUSES_PROGRESS,
)
async def report_progress_by_name(
    write: Write, product_id: UUID, api_name: str, body: ReportProgress, refused: RefusedReports
) -> Reply:
    """Reports progress by name.

    Works like the report by id, but the achievement is named by its product and by the name that the developer of the
    game uses.
    """
    name = NamedAchievement.from_text(product_id, api_name)
    with refused.noting(write.user_id, name):
        achievement_id = await write.of(AchievementService).named_one(name)
    return await report_progress(write, achievement_id, body, refused)


@routes.write(
    "POST",
    "/achievements/<uuid:achievement_id>/unlock",
    answers=ACHIEVEMENT_STATUS.document,
    refuses=_REFUSES_UNLOCK,
    opening=unlock,
)
async def unlock_achievement(write: Write, achievement_id: UUID, refused: RefusedReports) -> Reply:
    """Unlocks an achievement.

    Needs access to the product. An achievement that is unlocked already is refused with 409.
    """
    with refused.noting(write.user_id, achievement_id):
        unlocked = await write.of(AchievementService).unlock(write.user_id, achievement_id)
    KNOWN.learn(unlocked.id, unlocked.product_id)
    return ok({"data": ACHIEVEMENT_STATUS.render(unlocked, write.language)})


@routes.write(
    "POST",
    "/achievements/by-name/<uuid:product_id>/<text:api_name>/unlock",
    answers=ACHIEVEMENT_STATUS.document,
    refuses=_REFUSES_UNLOCK,
)
async def unlock_achievement_by_name(write: Write, product_id: UUID, api_name: str, refused: RefusedReports) -> Reply:
    """Unlocks an achievement by name.

    Works like the unlock by id, but the achievement is named by its product and by the name that the developer of the
    game uses.
    """
    name = NamedAchievement.from_text(product_id, api_name)
    with refused.noting(write.user_id, name):
        achievement_id = await write.of(AchievementService).named_one(name)
    return await unlock_achievement(write, achievement_id, refused)


@routes.action(
    "POST",
    "/achievements/import",
    body=ImportAchievements,
    example={
        "achievements": [
            {
                "client_id": "deck-7-a-17",
                "product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
                "api_name": "FIRST_BLOOD",
                "unlocked": True,
                "happened_at": "2026-05-20T18:42:10Z",
            }
        ]
    },
    answers=IMPORTED_ACHIEVEMENT.listing,
)
async def import_achievements(action: RestAction, body: ImportAchievements, refused: RefusedReports) -> Reply:
    """Imports offline progress.

    Accepts up to 100 unlocks and progress reports. Each has a result, in the order of the request; a rejected one does
    not affect the others.
    """

    async def import_all(write: Write) -> Reply:
        results = await write.of(AchievementService).import_achievements(write.user_id, body.achievements)
        refused.note_import(write.user_id, body.achievements, results)
        return ok({"data": [IMPORTED_ACHIEVEMENT.render(one) for one in results]})

    def render(one: Any, *result: Any) -> Any:
        return IMPORTED_ACHIEVEMENT.render(ImportedAchievement(one.client_id, *result))

    return await action.answer(import_all, results_excerpt(body.achievements, render))


@routes.read(
    "/achievements/summary",
    query=AchievementSummaryFilter,
    answers=PRODUCT_ACHIEVEMENTS.collection("/achievements/summary"),
)
async def summarize_achievements(read: Read, query: AchievementSummaryFilter) -> Reply:
    """Returns the progress on each product.

    Returns a page of the products with achievements, the one with the latest unlock first.
    """
    found = await read.of(AchievementQueries).summary(read.user_id, query.slice, query.product_ids)
    shown = await with_titles(read, [PRODUCT_ACHIEVEMENTS.render(one) for one in found.items])
    path = f"{BASE}/achievements/summary"
    return Reply(200, render_collection(path, parameters(query), shown, found.total, query.slice))
