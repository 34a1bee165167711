"""Cloud saves' part of ``devices list``: when a device last synced, and what it lacks."""

from uuid import UUID

from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.support.devices import MOST_DEVICES, DeviceFacts
from gameshelf.kernel.database import Connection
from gameshelf.savegames import saving_devices


async def devices_with_saves(connection: Connection, user_id: UUID) -> DeviceFacts:
    """Returns the devices that saved. One round trip."""
    found = await saving_devices(connection, user_id, MOST_DEVICES)
    fields = {
        one.device_id: {
            "device_name": text(one.device_name),
            "saves": one.saves,
            "saves_behind": one.behind,
            "saves_synced_at": timestamp(one.synced_at),
        }
        for one in found
    }
    return DeviceFacts(fields, {one.device_id: one.synced_at for one in found})
