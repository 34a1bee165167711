"""REST of game settings (contract, section 3.7)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.settings.conditions import precondition
from gameshelf.gateway.domains.settings.resources import GAME_SETTINGS, SETTINGS_LAYER, SETTINGS_OF_GAME
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.conditions import is_match
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, no_content, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.settings import (
    Address,
    GameFilter,
    GameView,
    LayerKind,
    LayerView,
    NewSettings,
    PreconditionFailed,
    Settings,
    SettingsNotFound,
    SettingsPatch,
    SettingsQueries,
    SettingsService,
)

routes = Routes("settings")

_WRITTEN: dict[str, Any] = {
    "query": Address,
    "answers": schemas.single(GAME_SETTINGS),
    "refuses": ("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED", "PRECONDITION_FAILED"),
    "has_etag": True,
    "takes_large": True,
}


@routes.read("/settings", query=GameFilter, answers=schemas.collection(schemas.named(SETTINGS_OF_GAME)))
async def list_settings(read: Read, query: GameFilter) -> Reply:
    """Games that the user has settings of, the one that changed last first; with ``since`` also deleted ones."""
    found = await read.of(SettingsQueries).games(read.user_id, query)
    shown = await with_titles(read, [of_game(one) for one in found.items])
    return Reply(200, collection(f"{BASE}/settings", parameters(query), shown, found.total, query.slice))


@routes.read("/settings/<uuid:product_id>/layers", answers=schemas.listing(SETTINGS_LAYER))
async def list_layers(read: Read, product_id: UUID) -> Reply:
    """The layers of a game's settings, without what is in them: what a new device can take over, or remove."""
    found = await read.of(SettingsQueries).layers(read.user_id, product_id)
    return ok({"data": [layer(product_id, one) for one in found]})


@routes.read(
    "/settings/<uuid:product_id>",
    query=Address,
    answers=schemas.single(GAME_SETTINGS),
    refuses=("SETTINGS_NOT_FOUND",),
    has_etag=True,
)
async def get_settings(read: Read, product_id: UUID, query: Address) -> Reply:
    """A game's settings: the account's, with those of a platform and of a device on top."""
    found = await read.of(SettingsQueries).settings(read.user_id, product_id, query, read.now)
    if found is None:
        raise SettingsNotFound
    if read.if_none_match and is_match(read.if_none_match, _etag(found)):
        return Reply(304, headers={"ETag": _etag(found)})
    return _shown(found)


@routes.write("PUT", "/settings/<uuid:product_id>", body=NewSettings, status=200, also=(201,), **_WRITTEN)
async def put_settings(write: Write, product_id: UUID, query: Address, body: NewSettings) -> Reply:
    """Replaces one layer: the account's, a platform's or a device's."""
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        found, is_new = await write.of(SettingsService).put(write.user_id, product_id, query, body, given)
    return _shown(found, 201 if is_new else 200)


@routes.write("PATCH", "/settings/<uuid:product_id>", body=SettingsPatch, status=200, also=(201,), **_WRITTEN)
async def patch_settings(write: Write, product_id: UUID, query: Address, body: SettingsPatch) -> Reply:
    """Changes one layer by a JSON Merge Patch (RFC 7396): null removes a key."""
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        found, is_new = await write.of(SettingsService).patch(write.user_id, product_id, query, body, given)
    return _shown(found, 201 if is_new else 200)


@routes.write(
    "DELETE",
    "/settings/<uuid:product_id>",
    query=Address,
    status=204,
    refuses=("SETTINGS_NOT_FOUND", "PRECONDITION_FAILED"),
    has_etag=True,
)
async def delete_settings(write: Write, product_id: UUID, query: Address) -> Reply:
    """Deletes a platform's or a device's layer; without a query all layers."""
    given = precondition(write.if_match, write.if_none_match)
    with _current_state():
        await write.of(SettingsService).delete(write.user_id, product_id, query, given)
    return no_content()


def _shown(found: Settings, status: int = 200) -> Reply:
    return ok({"data": settings(found)}, status, ETag=_etag(found))


def _etag(of: Settings) -> str:
    return f'"{of.revisions.tag}"'


@contextmanager
def _current_state() -> Iterator[None]:
    """Shows the current state in a refusal as a client reads it."""
    try:
        yield
    except PreconditionFailed as error:
        current = error.meta["current"]
        raise PreconditionFailed(current=settings(current) if current else None) from None


def settings(of: Settings) -> dict[str, Any]:
    """The resource ``gameSettings``."""
    return {
        "type": "gameSettings",
        "id": of.product_id,
        "attributes": {
            "product_id": of.product_id,
            "settings_payload": of.payload,
            "settings_layers": of.layers,
            "revision": of.revision,
            "last_updated_at": of.last_updated_at,
            "last_synced_with_cloud_at": of.last_synced_with_cloud_at,
        },
    }


def layer(product_id: UUID, of: LayerView) -> dict[str, Any]:
    """The resource ``gameSettingsLayer``."""
    return {
        "type": "gameSettingsLayer",
        "id": ":".join(filter(None, (str(product_id), of.layer, of.name))),
        "attributes": {
            "product_id": product_id,
            "layer": of.layer,
            "platform": of.name if of.layer == LayerKind.PLATFORM else None,
            "device_id": of.name if of.layer == LayerKind.DEVICE else None,
            "revision": of.revision,
            "last_updated_at": of.last_updated_at,
            "last_used_at": of.last_used_at,
        },
    }


def of_game(of: GameView) -> dict[str, Any]:
    """The resource ``gameSettingsSummary``."""
    return {
        "type": "gameSettingsSummary",
        "id": of.product_id,
        "attributes": {
            "product_id": of.product_id,
            "revision": of.revision,
            "has_account_layer": of.has_account_layer,
            "overlay_count": of.overlay_count,
            "last_updated_at": of.last_updated_at,
            "last_synced_with_cloud_at": of.last_synced_with_cloud_at,
        },
    }
