"""The installations of a game on each of a user's devices, and their summary. No I/O, no clock.

Facts may be applied in any order: the newest fact of each device holds, and one that names no device replaces the older
facts of all of them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gameshelf.library._models import InstallationStatus
from pydantic import TypeAdapter

MOST_DEVICES = 32
"""The maximum number of entries of an item."""

# The best status of a user's devices is the status of the item.
_RANK = {
    InstallationStatus.INSTALLED: 0,
    InstallationStatus.UPDATING: 1,
    InstallationStatus.REPAIR_NEEDED: 2,
    InstallationStatus.INSTALLING: 3,
    InstallationStatus.ERROR: 4,
    InstallationStatus.NOT_INSTALLED: 5,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Installation:
    """The status of a game on one device since ``changed_at`` (aware, in UTC)."""

    device_id: str | None
    """None: on the account, by a fact that names no device."""
    installation_status: InstallationStatus
    installed_version_id: str | None
    changed_at: datetime


_UNKNOWN = Installation(None, InstallationStatus.NOT_INSTALLED, None, _EPOCH)


@dataclass(frozen=True, slots=True)
class Installations:
    """All known installations of a game."""

    entries: tuple[Installation, ...] = ()
    """The entry of the account first, then those of devices by id; at most 32."""
    account_at: datetime | None = None
    """The time of the last fact that named no device: older facts are ignored, whenever they are received."""
    newest_at: datetime | None = None
    """The time of the newest fact, including those that were replaced."""

    @property
    def summary(self) -> Installation:
        """The best status of all devices; of several the one that changed last."""
        return min(self.entries, key=lambda one: (_RANK[one.installation_status], _before(one)), default=_UNKNOWN)

    def of_device(self, device_id: str) -> Installation:
        """Returns the entry of the device, else that of the account, which applies to every device."""
        found = {one.device_id: one for one in self.entries}
        return found.get(device_id) or found.get(None) or _UNKNOWN

    def with_fact(self, fact: Installation) -> "Installations":
        """Returns the installations with one more fact. A fact older than the known one changes nothing; of two with
        the same time the one applied last holds.

        A 33rd entry drops the oldest one that is not installed, else the oldest.
        """
        if self.account_at is not None and fact.changed_at < self.account_at:
            return self
        newest_at = max(filter(None, (self.newest_at, fact.changed_at)))
        if fact.device_id is None:
            newer = [one for one in self.entries if one.changed_at > fact.changed_at]
            entries = newer if newer else [fact]
            return Installations(tuple(entries), fact.changed_at, newest_at)
        others = [one for one in self.entries if one.device_id not in (None, fact.device_id)]
        own = next((one for one in self.entries if one.device_id == fact.device_id), None)
        kept = own if own and own.changed_at > fact.changed_at else fact
        account = [one for one in self.entries if one.device_id is None and one.changed_at > kept.changed_at]
        entries = sorted([*account, *others, kept], key=lambda one: one.device_id or "")
        return replace(self, entries=tuple(_few(entries)), newest_at=newest_at)


def _before(one: Installation) -> timedelta:
    return _EPOCH - one.changed_at


def _few(entries: list[Installation]) -> Iterable[Installation]:
    if len(entries) <= MOST_DEVICES:
        return entries
    idle = [one for one in entries if one.installation_status is InstallationStatus.NOT_INSTALLED]
    dropped = min(idle or entries, key=lambda one: one.changed_at)
    return (one for one in entries if one is not dropped)


_ENTRIES = TypeAdapter(tuple[Installation, ...])


def dump(entries: tuple[Installation, ...]) -> str:
    """Returns the JSON that is stored and shown."""
    return _ENTRIES.dump_json(entries).decode()


def parse(document: str) -> tuple[Installation, ...]:
    """Returns the entries of such JSON."""
    return _ENTRIES.validate_json(document)


def on_device(document: str, device_id: str) -> tuple[str, str | None]:
    """Returns the status and the version on a device by such JSON, as ``of_device`` does. A page needs twenty of them,
    and parsing whole entries, with their times, takes several times as long.
    """
    found = {entry["device_id"]: entry for entry in json.loads(document)}
    entry = found.get(device_id) or found.get(None)
    if entry is None:
        return _UNKNOWN.installation_status, _UNKNOWN.installed_version_id
    return entry["installation_status"], entry["installed_version_id"]


def load(
    document: str | None, account_at: datetime | None, status: str, version_id: str | None, changed_at: datetime | None
) -> Installations:
    """Returns the stored installations of an item; without a document one entry of the account, as an earlier version
    stored.
    """
    if document is not None:
        return Installations(parse(document), account_at, changed_at)
    if changed_at is None and status == InstallationStatus.NOT_INSTALLED:
        return Installations()
    fact = Installation(None, InstallationStatus(status), version_id, changed_at or _EPOCH)
    return Installations((fact,), fact.changed_at, fact.changed_at)
