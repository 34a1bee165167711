"""REST of plans, policies and preferences of cloud saves (contract, section 3.6)."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames import rest
from gameshelf.gateway.domains.savegames.plans import PlanNotes
from gameshelf.gateway.domains.savegames.resources import PRODUCT, SAVE_ID
from gameshelf.gateway.domains.savegames.resources_plans import (
    PLAN,
    SAVEGAME_PLAN,
    SAVEGAME_POLICY,
    SAVEGAME_PREFERENCE,
    ShownPreference,
)
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.reply import Reply, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.savegames import PlanSaves, PolicyStore, Preference, SavegamePlans, SavegamePreferences

MAX_PLAN_BYTES = 1024**2

routes = Routes(rest.routes.tag, rest.routes.description, {"product_id": ("Id of the product.", PRODUCT)})


@routes.ask(
    "/savegames/plan",
    body=PlanSaves,
    example={
        "product_id": PRODUCT,
        "device_id": "deck-7",
        "device_name": "Deck",
        "policy_revision": 7,
        "intent": "launch",
        "slots": [
            {
                "slot_name": "autosave",
                "savegame_id": SAVE_ID,
                "base_version": 5,
                "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        ],
    },
    answers=PLAN,
    refuses=("SAVEGAME_SLOT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND"),
    max_body_bytes=MAX_PLAN_BYTES,
)
async def plan_saves(action: RestAction, body: PlanSaves, notes: PlanNotes) -> Reply:
    """Plans what a device has to do.

    Says for each save that the device has, and for all others of the product, whether to upload, download or ask, and
    what the user's other devices are at. Reserves nothing, and needs no access to the product. The intents `exit`,
    `suspend` and `resume` are remembered for the plans of other devices.
    """
    async with action.read() as read:
        plan = await read.of(SavegamePlans).plan(read.user_id, body)
    await notes.note(action.user_id, plan)
    shown = SAVEGAME_PLAN.render(plan, body.policy_revision)
    return ok({"data": shown, "meta": {"auto_sync": plan.auto_sync}})


@routes.read("/savegames/policy/<uuid:product_id>", answers=SAVEGAME_POLICY.document)
async def get_policy(read: Read, product_id: UUID) -> Reply:
    """Returns the policy of a product.

    Says which files of a game are saved, what belongs together, and the limits. A product without a policy has the
    default one, with the revision 0.
    """
    return ok({"data": SAVEGAME_POLICY.render(await read.of(PolicyStore).policy(product_id))})


@routes.read("/savegames/policy/<uuid:product_id>/me", answers=SAVEGAME_PREFERENCE.document)
async def get_product_preference(read: Read, product_id: UUID) -> Reply:
    """Returns whether saves of a product are synchronised without being asked.

    The preference of the account counts as well: both have to be on.
    """
    found = await read.of(SavegamePreferences).auto_sync(read.user_id, product_id)
    return _preference(product_id, found)


@routes.write(
    "PUT",
    "/savegames/policy/<uuid:product_id>/me",
    body=Preference,
    example={"auto_sync": False},
    answers=SAVEGAME_PREFERENCE.document,
    refuses=("USER_QUOTA_EXCEEDED",),
)
async def put_product_preference(write: Write, product_id: UUID, body: Preference) -> Reply:
    """Sets whether saves of a product are synchronised without being asked.

    Where they are not, plans answer `none` unless the intent is `manual`.
    """
    await write.of(SavegamePreferences).set_auto_sync(write.user_id, body.auto_sync, product_id)
    return _preference(product_id, body.auto_sync)


@routes.read("/savegames/preferences", answers=SAVEGAME_PREFERENCE.document)
async def get_preferences(read: Read) -> Reply:
    """Returns whether the account's saves are synchronised without being asked.

    A product can be switched off by itself.
    """
    return _preference(read.user_id, await read.of(SavegamePreferences).auto_sync(read.user_id))


@routes.write(
    "PUT",
    "/savegames/preferences",
    body=Preference,
    example={"auto_sync": True},
    answers=SAVEGAME_PREFERENCE.document,
    refuses=("USER_QUOTA_EXCEEDED",),
)
async def put_preferences(write: Write, body: Preference) -> Reply:
    """Sets whether the account's saves are synchronised without being asked.

    Where they are not, plans answer `none` unless the intent is `manual`.
    """
    await write.of(SavegamePreferences).set_auto_sync(write.user_id, body.auto_sync)
    return _preference(write.user_id, body.auto_sync)


def _preference(of: UUID, auto_sync: bool) -> Reply:
    document: dict[str, Any] = {"data": SAVEGAME_PREFERENCE.render(ShownPreference(of, auto_sync))}
    return ok(document)
