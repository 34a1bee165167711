"""``devices list``: the devices that saved or played for a user, and the open connections."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from gameshelf.gateway.runtime.support.devices import DeviceReader, SeenDevice, merged
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.gateway.runtime.ws.hub import Hub, Subscriber
from gameshelf.protos.library.v1 import admin_devices_pb2 as messages

_REDIS_SECONDS = 1.0


class Devices:
    """Serves a user's devices."""

    def __init__(self, context: SupportContext, hub: Hub, readers: Sequence[DeviceReader]) -> None:
        self._context = context
        self._hub = hub
        self._readers = readers

    async def ListDevices(self, request: messages.ListDevicesRequest, by: Identity) -> messages.ListDevicesResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.acquire() as connection:
            state = await self._context.streams.state(connection, user_id)
            facts = [await read(connection, user_id) for read in self._readers]
            devices = merged(facts)
            products = {UUID(known) for one in devices if (known := one.fields.get("product_id"))}
            titles = await self._context.titles(connection, sorted(products))
        return messages.ListDevicesResponse(
            devices=[_device(one, titles) for one in devices],
            connections=[_connection(one, state.last_sequence) for one in self._hub.subscribers(user_id)],
            connected_instances=await self._instances(user_id),
            **{name: value for one in facts for name, value in one.of_user.items()},
        )

    async def _instances(self, user_id: UUID) -> int | None:
        """Counts the instances with connections; None while Redis is unavailable."""
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                return await self._hub.count_instances(user_id)
        except REDIS_ERRORS:
            return None


def _device(of: SeenDevice, titles: Mapping[UUID, str]) -> messages.AdminDevice:
    product = of.fields.get("product_id")
    title = titles.get(UUID(product), "") if product else ""
    return messages.AdminDevice(device_id=of.device_id, title=title, last_seen_at=timestamp(of.seen_at), **of.fields)


def _connection(of: Subscriber, last_sequence: int) -> messages.DeviceConnection:
    return messages.DeviceConnection(connected_at=timestamp(of.since), events_behind=max(last_sequence - of.sent, 0))
