"""``settings list|show|history|restore``: settings of games, and the payloads from before."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.settings.changes import RestoreSettings, undo_restore
from gameshelf.gateway.domains.settings.grpc import layer_message, settings_of_game_message
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_message
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, page_limit, parse_options
from gameshelf.gateway.runtime.support.rpc.cursors import pack, unpack
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import MAX_PAGE
from gameshelf.protos.library.v1 import admin_settings_pb2 as messages
from gameshelf.settings import (
    Address,
    GameFilter,
    KeptPayloads,
    KeptPayloadView,
    LayerKind,
    LayerPayload,
    SettingsNotFound,
    SettingsQueries,
    count_games_with_settings,
)

COMMANDS = (
    read_command("settings list", "ListSettingsOfUser"),
    read_command("settings show", "ShowSettingsOfUser"),
    read_command("settings history", "ListSettingsHistory"),
    change_command("settings restore", "RestoreSettings", ANY, undo_restore),
)
_NOT_OF_ADDRESS = frozenset({"user_id", "product_id", "revision", "change"})
_LARGEST = 2**63 - 1


class SettingsOfUser:
    """Serves settings."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListSettingsOfUser(
        self, request: messages.ListSettingsOfUserRequest, by: Identity
    ) -> messages.ListSettingsOfUserResponse:
        user_id = parse_id(request.user_id, "user_id")
        wanted = GameFilter(page=min(max(request.page, 1), MAX_PAGE), limit=page_limit(request.limit))
        async with self._context.reading(user_id) as connection:
            found = await SettingsQueries(connection).games(user_id, wanted)
            titles = await self._context.titles(connection, [one.product_id for one in found.items])
        return messages.ListSettingsOfUserResponse(
            games=[
                messages.AdminSettingsOfGame(
                    settings=settings_of_game_message(one), title=titles.get(one.product_id, "")
                )
                for one in found.items
            ],
            total_items=found.total,
        )

    async def ShowSettingsOfUser(
        self, request: messages.ShowSettingsOfUserRequest, by: Identity
    ) -> messages.ShowSettingsOfUserResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        address = parse_message(Address, request, _NOT_OF_ADDRESS)
        revision = _revision(request.revision) if request.revision else None
        async with self._context.reading(user_id) as connection:
            shown = await _payload(connection, user_id, product_id, address, revision)
            layers = await SettingsQueries(connection).layers(user_id, product_id)
            titles = await self._context.titles(connection, [product_id])
        return messages.ShowSettingsOfUserResponse(
            title=titles.get(product_id, ""),
            layers=[layer_message(one) for one in layers],
            settings_payload=encode(shown.payload).decode() if shown else "",
            revision=shown.revision if shown else 0,
        )

    async def ListSettingsHistory(
        self, request: messages.ListSettingsHistoryRequest, by: Identity
    ) -> messages.ListSettingsHistoryResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        limit = page_limit(request.limit)
        after = unpack(request.cursor, _number, str, str) if request.cursor else None
        async with self._context.reading(user_id) as connection:
            place = (after[0], after[1], after[2]) if after else None
            found = await KeptPayloads(connection).of_game(user_id, product_id, place, limit + 1)
            layers = await SettingsQueries(connection).layers(user_id, product_id)
            titles = await self._context.titles(connection, [product_id])
        shown = found[:limit]
        more = pack(shown[-1].revision, shown[-1].layer, shown[-1].name) if len(found) > limit else ""
        return messages.ListSettingsHistoryResponse(
            title=titles.get(product_id, ""),
            layers=[layer_message(one) for one in layers],
            kept=[_kept_message(one) for one in shown],
            next_cursor=more,
        )

    async def RestoreSettings(
        self, request: messages.RestoreSettingsRequest, by: Identity
    ) -> messages.RestoreSettingsResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        options, address = parse_options(request.change), parse_message(Address, request, _NOT_OF_ADDRESS)
        change = RestoreSettings(user_id, product_id, address, _revision(request.revision))
        return messages.RestoreSettingsResponse(result=await self._context.make_change(change, options, by))


async def _payload(
    connection: Connection, user_id: UUID, product_id: UUID, address: Address, revision: int | None
) -> LayerPayload | None:
    """Returns a layer as it is, or as it was at a revision. Raises SettingsNotFound, InvalidInput."""
    current = await SettingsQueries(connection).layer(user_id, product_id, address)
    if revision is None or (current and current.revision == revision):
        return current
    kept = await KeptPayloads(connection).payload(user_id, product_id, address.layer(), revision)
    if kept is None:
        raise SettingsNotFound(revision=revision)
    return LayerPayload(kept, revision)


def _revision(sent: int) -> int:
    """Checks a revision. Raises InvalidInput."""
    if sent < 1:
        raise InvalidInput(Problem("greater_than_equal", pointer="revision", params={"ge": 1}))
    return sent


def _number(text: str) -> int:
    """Parses the revision of a cursor. Raises ValueError."""
    if not 0 < (number := int(text)) <= _LARGEST:
        raise ValueError(text)
    return number


def _kept_message(of: KeptPayloadView) -> messages.KeptSettings:
    return messages.KeptSettings(
        layer=of.layer,
        platform=text(of.name) if of.layer == LayerKind.PLATFORM else "",
        device_id=text(of.name) if of.layer == LayerKind.DEVICE else "",
        revision=of.revision,
        size_bytes=of.size_bytes,
        written_at=timestamp(of.written_at),
        ended_at=timestamp(of.ended_at),
        ended_by=of.ended_by,
    )


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    return {"games_with_settings": await count_games_with_settings(connection, user_id)}


OVERVIEW = Overview(_count)
"""Counts games with settings for ``user show``."""
