"""``libctl devices``: the devices of a user, when they were seen, and what they lack."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Output, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute, span
from gameshelf.protos.library.v1 import admin_devices_pb2 as messages
from rich.text import Text

_MOST_DEVICES = 100
"""The number of devices that the service returns."""


@noun("devices")
def group() -> None:
    """List a user's devices and connections."""


@group.command("list")
@click.argument("user", type=USER_ID)
@answers(messages.ListDevicesResponse)
@click.pass_obj
def list_(out: Output, user: UUID) -> None:
    """List a user's devices: last sync of saves and what it lacks, last session and heartbeat; open connections."""
    found = plain(connect().call("ListDevices", messages.ListDevicesRequest(user_id=str(user))))
    now = datetime.now(UTC)
    devices = [_device(one, now) for one in found["devices"]]
    imported = minute(found["imported_at"]) or "never"
    parts = [
        Branch(f"devices: {len(devices) or 'none'}", devices),
        Branch(f"sessions played offline were last imported: {imported}"),
        _connections(found, now),
    ]
    out.result(found, tree(f"devices of {user} (times of UTC)", parts))
    if len(devices) >= _MOST_DEVICES:
        out.warn(f"At most {_MOST_DEVICES} devices are shown, those that were seen last.")
    if not devices:
        doubt(out, user)
    if not found["has_newest_heartbeats"]:
        out.warn("Redis is unavailable: the heartbeats are the stored ones, which may be a minute older.")


def _device(one: dict[str, Any], now: datetime) -> Branch:
    names = [one["device_id"] or "unnamed", one["device_name"], one["platform"]]
    label = Text(visible(", ".join(filter(None, names)))).append(f"  seen {minute(one['last_seen_at'])}", "dim")
    return Branch(label, [*_saves(one), *_session(one, now)])


def _saves(one: dict[str, Any]) -> list[Branch]:
    if not one["saves_synced_at"]:
        return [Branch("never synced a save")]
    behind = one["saves_behind"]
    lacks = f"{behind} of them outdated" if behind else "all up to date"
    said = f"saves: {one['saves']}, {lacks}; last sync {minute(one['saves_synced_at'])}"
    return [Branch(Text(said, style="yellow" if behind else ""))]


def _session(one: dict[str, Any], now: datetime) -> list[Branch]:
    if not one["session_id"]:
        return []
    product = Text(visible(one["title"] or "(no title)")).append("  " + visible(one["product_id"]), "dim")
    if one["session_ended_at"]:
        said = f"last session {minute(one['session_started_at'])} to {minute(one['session_ended_at'])}"
    else:
        silent = max(int((now - one["last_heartbeat_at"]).total_seconds()), 0)
        said = f"plays since {minute(one['session_started_at'])}, last heartbeat {span(silent)} ago"
    return [Branch(said, [Branch(product), Branch(f"session {one['session_id']}")])]


def _connections(found: dict[str, Any], now: datetime) -> Branch:
    """The connections to the instance that answered, and how many instances have some."""
    instances = found["connected_instances"]
    elsewhere = "unknown: Redis is unavailable" if instances is None else instances
    children = [_connection(one, now) for one in found["connections"]]
    return Branch(f"instances with a connection of this user: {elsewhere}", children)


def _connection(one: dict[str, Any], now: datetime) -> Branch:
    age = max(int((now - one["connected_at"]).total_seconds()), 0)
    behind = one["events_behind"]
    said = f"connected for {span(age)}, {f'{behind} events behind' if behind else 'has every event'}"
    return Branch(Text(said, style="yellow" if behind else "green"))
