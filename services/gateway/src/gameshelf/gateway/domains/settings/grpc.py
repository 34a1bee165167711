"""``GameSettingsSyncService``: settings for games that speak gRPC."""

from dataclasses import replace
from typing import Any

import grpc.aio
from gameshelf.gateway.domains.settings.openings import change_of_layer
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.errors import MalformedJson
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    require_own,
    require_read,
)
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.problems import excess
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.nesting import too_deep
from gameshelf.kernel.paging import Slice
from gameshelf.protos.library.v1 import game_settings_sync_service_pb2 as messages
from gameshelf.protos.library.v1.game_settings_sync_service_pb2_grpc import (
    GameSettingsSyncServiceServicer,
    add_GameSettingsSyncServiceServicer_to_server,
)
from gameshelf.settings import (
    MAX_VALUES,
    Address,
    GameFilter,
    GameView,
    LayerKind,
    LayerPrecondition,
    LayerView,
    MergedSettings,
    NewSettings,
    PreconditionFailed,
    Revisions,
    SettingsNotFound,
    SettingsPatch,
    SettingsQueries,
    SettingsService,
)
from pydantic_core import from_json

NAME = messages.DESCRIPTOR.services_by_name["GameSettingsSyncService"].full_name
_NOT_OF_ADDRESS = frozenset({"user_id", "product_id", "settings_payload", "mode", "expected_revision"})


class GameSettingsSync(GameSettingsSyncServiceServicer):
    """Serves reads and writes of settings."""

    def __init__(
        self, transactions: Transactions, acquire: Acquire, streams: UserStreams, clock: Clock = utc_now
    ) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams
        self._clock = clock

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_GameSettingsSyncServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def GetGameSettings(
        self, request: messages.GetGameSettingsRequest, context: GrpcContext
    ) -> messages.GetGameSettingsResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        require_read(user_id)
        address = parse_message(Address, request, _NOT_OF_ADDRESS)
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, {user_id})
            queries = SettingsQueries(connection)
            found = None if gone else await queries.settings(user_id, product_id, address, self._clock())
        if found is None:
            raise SettingsNotFound
        return messages.GetGameSettingsResponse(settings=settings_message(found))

    async def UpdateGameSettings(
        self, request: messages.UpdateGameSettingsRequest, context: GrpcContext
    ) -> messages.UpdateGameSettingsResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        require_own(user_id)
        address = parse_message(Address, request, _NOT_OF_ADDRESS)
        given = _precondition(request, address)
        payload = _payload(request.settings_payload)

        async def update(transaction: Transaction) -> MergedSettings:
            service = transaction.of(SettingsService)
            if request.mode == messages.UPDATE_MODE_MERGE_PATCH:
                patch = SettingsPatch(settings_payload=payload)
                found, _ = await service.patch(user_id, product_id, address, patch, given)
            else:
                new = NewSettings(settings_payload=payload)
                found, _ = await service.put(user_id, product_id, address, new, given)
            return found

        try:
            found = await self._transactions.run(user_id, update, change_of_layer(user_id, product_id, address))
        except PreconditionFailed as error:
            # Metadata is small, so it has no current state: a refused client has to read the settings again.
            current = error.meta["current"]
            layer = address.layer()
            found_revision = current.revisions.of_layer(layer[0] if layer else None) if current else 0
            raise PreconditionFailed(current_revision=found_revision) from None
        return messages.UpdateGameSettingsResponse(settings=settings_message(found))

    async def ListGameSettings(
        self, request: messages.ListGameSettingsRequest, context: GrpcContext
    ) -> messages.ListGameSettingsResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        wanted = parse_message(GameFilter, request, frozenset({"user_id"}))
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, {user_id})
            found = Slice[GameView]([], 0) if gone else await SettingsQueries(connection).games(user_id, wanted)
        games = [settings_of_game_message(one) for one in found.items]
        return messages.ListGameSettingsResponse(games=games, total_items=found.total)

    async def ListSettingsLayers(
        self, request: messages.ListSettingsLayersRequest, context: GrpcContext
    ) -> messages.ListSettingsLayersResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        require_read(user_id)
        async with self._acquire() as connection:
            gone = await erased_among(self._streams, connection, {user_id})
            found = [] if gone else await SettingsQueries(connection).layers(user_id, product_id)
        return messages.ListSettingsLayersResponse(layers=[layer_message(one) for one in found])


def _precondition(request: messages.UpdateGameSettingsRequest, address: Address) -> LayerPrecondition | None:
    if not request.HasField("expected_revision"):
        return None
    if not request.expected_revision:
        return LayerPrecondition(is_absent=True)
    layer = address.layer()
    name = str(layer[0]) if layer else "account"
    return LayerPrecondition(frozenset({Revisions(**{name: request.expected_revision})}))


def _payload(text: str) -> dict[str, Any]:
    """Parses the JSON object in a request. Raises MalformedJson, InvalidInput."""
    if too_much := excess(NewSettings, text.encode(), MAX_VALUES):
        raise InvalidInput(replace(too_much, pointer="settings_payload"))
    try:
        payload = from_json(text)
    except ValueError as error:
        if str(error).startswith("recursion limit"):
            raise InvalidInput(too_deep("settings_payload")) from None
        raise MalformedJson from None
    if not isinstance(payload, dict):
        raise InvalidInput(Problem("dict_type", pointer="settings_payload"))
    return payload


def settings_message(of: MergedSettings) -> messages.GameSettings:
    return messages.GameSettings(
        product_id=str(of.product_id),
        settings_payload=encode(of.payload).decode(),
        settings_layers=encode(of.layers).decode(),
        revision=of.revision,
        last_updated_at=timestamp(of.last_updated_at),
        last_synced_with_cloud_at=timestamp(of.last_synced_with_cloud_at),
        account_revision=of.revisions.account or 0,
        platform_revision=of.revisions.platform or 0,
        device_revision=of.revisions.device or 0,
    )


def settings_of_game_message(of: GameView) -> messages.SettingsOfGame:
    return messages.SettingsOfGame(
        product_id=str(of.product_id),
        revision=of.revision,
        has_account_layer=of.has_account_layer,
        overlay_count=of.overlay_count,
        last_updated_at=timestamp(of.last_updated_at),
        last_synced_with_cloud_at=timestamp(of.last_synced_with_cloud_at),
    )


def layer_message(of: LayerView) -> messages.SettingsLayer:
    return messages.SettingsLayer(
        layer=of.layer,
        platform=text(of.name) if of.layer == LayerKind.PLATFORM else "",
        device_id=text(of.name) if of.layer == LayerKind.DEVICE else "",
        revision=of.revision,
        last_updated_at=timestamp(of.last_updated_at),
        last_used_at=timestamp(of.last_used_at),
    )
