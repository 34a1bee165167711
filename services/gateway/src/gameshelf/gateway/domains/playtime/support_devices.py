"""Playtime's part of ``devices list``: the newest session of each device, with its last heartbeat."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from gameshelf.gateway.runtime.support.devices import MOST_DEVICES, DeviceFacts, DeviceReader
from gameshelf.kernel.database import Connection
from gameshelf.playtime import PlayingDevice, SessionKey, last_import, playing_devices

_REDIS_SECONDS = 1.0


def devices_that_play(live: LiveSessions) -> DeviceReader:
    """Makes the reader of the devices that play, from the tables and the newest heartbeats in Redis."""

    async def read(connection: Connection, user_id: UUID) -> DeviceFacts:
        """Returns the devices of a user's newest sessions. Two round trips, and one to Redis."""
        found = await playing_devices(connection, user_id, MOST_DEVICES)
        imported = await last_import(connection, user_id)
        newest = await _heartbeats(live, user_id, found)
        last = {one.device_id: _last_sign(one, newest or {}) for one in found}
        return DeviceFacts(
            {one.device_id: _fields(one, last[one.device_id]) for one in found},
            last,
            {"imported_at": timestamp(imported), "has_newest_heartbeats": newest is not None},
        )

    return read


async def _heartbeats(
    live: LiveSessions, user_id: UUID, found: Sequence[PlayingDevice]
) -> Mapping[UUID, datetime] | None:
    """Reads the newest heartbeats of running sessions; None while Redis is unavailable."""
    running = [SessionKey(user_id, one.session_id) for one in found if one.end_time is None]
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            beats = await live.heartbeats(running) if running else {}
    except REDIS_ERRORS:
        return None
    return {key.session_id: at for key, at in beats.items()}


def _last_sign(of: PlayingDevice, newest: Mapping[UUID, datetime]) -> datetime:
    return max(newest.get(of.session_id, of.last_heartbeat_at), of.last_heartbeat_at)


def _fields(of: PlayingDevice, last_heartbeat_at: datetime) -> Mapping[str, Any]:
    return {
        "platform": text(of.platform),
        "product_id": str(of.product_id),
        "session_id": str(of.session_id),
        "session_started_at": timestamp(of.start_time),
        "session_ended_at": timestamp(of.end_time),
        "last_heartbeat_at": timestamp(last_heartbeat_at),
    }
