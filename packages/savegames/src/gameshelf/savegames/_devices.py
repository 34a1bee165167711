"""What the other devices of a user are at, and what a device intended last."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames._limits import PENDING_FOR
from gameshelf.savegames._plans import OtherDeviceState, PlanIntent
from gameshelf.savegames._store.devices import DeviceStateStore
from gameshelf.savegames._store.plan_contexts import DeviceState, DeviceUpload

SUSPENDED_FOR = timedelta(days=7)
"""So long a device that was suspended counts as one that may continue its session."""


class DevicePlay(Protocol):
    """The play of a product on a device after a moment."""

    @property
    def device_id(self) -> str:
        """Empty: the sessions that name no device."""
        ...

    @property
    def seconds(self) -> int: ...

    @property
    def running_since(self) -> datetime | None:
        """The start of the session that runs; None: none does."""
        ...


class PlayOnDevices(Protocol):
    """The port to playtime."""

    async def unsynced(
        self, user_id: UUID, product_id: UUID, moments: Mapping[str, datetime], otherwise: datetime
    ) -> Collection[DevicePlay]:
        """The play of a product on each of these devices after the device's moment, and on the devices where it runs,
        after ``otherwise`` if they have no moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """What another device of the user is at."""

    device_id: str
    device_name: str | None
    state: OtherDeviceState
    slot_name: str | None
    """The save that it uploads, or has to upload."""
    since: datetime
    unsynced_playtime_seconds: int
    """How long was played there since its last upload, of the last 30 days."""


@dataclass(frozen=True, slots=True)
class NotedIntent:
    """An intent of a device, to be stored for the user's other devices."""

    product_id: UUID
    device_id: str
    device_name: str | None
    intent: PlanIntent
    pending_slots: tuple[str, ...]
    """The names of the saves that the device has to upload; empty: it has uploaded everything."""
    planned_at: datetime


class SavegameDevices:
    """The intents of a user's devices, over one connection inside a transaction."""

    def __init__(self, connection: Connection, serialise: Serialise | None = None) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = DeviceStateStore(connection)

    async def note_intent(self, user_id: UUID, noted: NotedIntent) -> None:
        """Stores the intent of a device, and since when it has to upload something. Its commits to these saves clear
        that.
        """
        await self._serialise(user_id)
        await self._store.note_intent(
            user_id,
            noted.product_id,
            noted.device_id,
            noted.device_name,
            noted.intent,
            noted.pending_slots,
            noted.planned_at,
        )


def play_moments(
    states: Iterable[DeviceState], uploads: Iterable[DeviceUpload], now: datetime
) -> tuple[dict[str, datetime], datetime]:
    """Returns from when on play counts as not synchronised: of each device with a state, and of all others."""
    earliest = now - PENDING_FOR
    moments = {upload.device_id: earliest for upload in uploads}
    for state in states:
        moments[state.device_id] = max(state.committed_at or earliest, earliest)
    return moments, earliest


def other_devices(
    states: Iterable[DeviceState],
    uploads: Iterable[DeviceUpload],
    plays: Iterable[DevicePlay],
    device_id: str,
    now: datetime,
) -> tuple[OtherDevice, ...]:
    """Returns what the other devices are at, in the order of their ids; those that are at nothing are left out.

    A device is at one thing: it plays, or is suspended, or uploads, or has something to upload. Sessions without a
    device are left out, since they may be the asking device's own. Pure.
    """
    stated = {state.device_id: state for state in states}
    played = {play.device_id: play for play in plays}
    uploading: dict[str, DeviceUpload] = {}
    for upload in sorted(uploads, key=lambda one: one.created_at):
        uploading.setdefault(upload.device_id, upload)
    found = []
    for other in sorted({*stated, *played, *uploading} - {device_id, ""}):
        state, upload_of, play = stated.get(other), uploading.get(other), played.get(other)
        at = _state_of(state, upload_of, play, now)
        if at is not None:
            name = (state and state.device_name) or (upload_of and upload_of.device_name) or None
            found.append(OtherDevice(other, name, *at, play.seconds if play else 0))
    return tuple(found)


def _state_of(
    state: DeviceState | None, upload: DeviceUpload | None, play: DevicePlay | None, now: datetime
) -> tuple[OtherDeviceState, str | None, datetime] | None:
    running = play.running_since if play else None
    suspended_at = state.intent_at if state and state.intent == PlanIntent.SUSPEND else None
    if suspended_at and suspended_at > now - SUSPENDED_FOR and (running is None or suspended_at >= running):
        return OtherDeviceState.SESSION_SUSPENDED, None, suspended_at
    if running is not None:
        return OtherDeviceState.SESSION_ACTIVE, None, running
    if upload:
        return OtherDeviceState.UPLOAD_OPEN, upload.slot_name, upload.created_at
    if state and state.pending_since and state.pending_since > now - PENDING_FOR:
        return OtherDeviceState.UPLOAD_PENDING, state.pending_slot, state.pending_since
    return None
