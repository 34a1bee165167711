"""What the domains know of a user's devices; ``devices list`` shows it by device."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection

MOST_DEVICES = 100


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What one domain knows."""

    devices: Mapping[str, Mapping[str, Any]]
    """Device → fields of ``AdminDevice``; no other domain has the same ones."""
    seen_at: Mapping[str, datetime]
    """Device → when it was last seen."""
    of_user: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``ListDevicesResponse``."""


DeviceReader = Callable[[Connection, UUID], Awaitable[DeviceFacts]]
"""Returns the facts of a domain about at most ``MOST_DEVICES`` devices of a user, in a fixed number of round trips."""


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A device with the facts of all domains."""

    device_id: str
    seen_at: datetime
    fields: Mapping[str, Any]


def merged(facts: Sequence[DeviceFacts]) -> list[SeenDevice]:
    """Returns the devices of all domains, the one that was seen last first; at most ``MOST_DEVICES``."""
    fields: dict[str, dict[str, Any]] = {}
    seen: dict[str, datetime] = {}
    for one in facts:
        for device_id, known in one.devices.items():
            fields.setdefault(device_id, {}).update(known)
            seen[device_id] = max(seen.get(device_id, one.seen_at[device_id]), one.seen_at[device_id])
    devices = [SeenDevice(device_id, seen[device_id], known) for device_id, known in fields.items()]
    return sorted(devices, key=lambda one: (one.seen_at, one.device_id), reverse=True)[:MOST_DEVICES]
