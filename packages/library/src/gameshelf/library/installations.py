"""Where a game stands on each of a user's devices, and what that adds up to. No I/O, no clock.

Facts are applied in any order: each device's newest one holds, and one that names no device replaces what is older of
all of them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gameshelf.library.models import InstallationStatus
from pydantic import TypeAdapter

MOST_DEVICES = 32
"""How many entries an item keeps."""

# The best of a user's devices stands for all of them.
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
    """Where a game stands on one device since ``changed_at`` (aware, in UTC)."""

    device_id: str | None
    """None: on the account, said without naming a device."""
    installation_status: InstallationStatus
    installed_version_id: str | None
    changed_at: datetime


_UNKNOWN = Installation(None, InstallationStatus.NOT_INSTALLED, None, _EPOCH)


@dataclass(frozen=True, slots=True)
class Installations:
    """Everything that is known of where a game stands."""

    entries: tuple[Installation, ...] = ()
    """The account's first, then by device; at most 32."""
    account_at: datetime | None = None
    """When a fact that named no device was last said: what is older is over, whenever it is heard."""
    newest_at: datetime | None = None
    """The time of the newest fact, also of one that was replaced."""

    @property
    def summary(self) -> Installation:
        """The best of all devices; of several alike the one that changed last."""
        return min(self.entries, key=lambda one: (_RANK[one.installation_status], _before(one)), default=_UNKNOWN)

    def of_device(self, device_id: str) -> Installation:
        """The device's own entry, else the account's, which speaks for every device."""
        found = {one.device_id: one for one in self.entries}
        return found.get(device_id) or found.get(None) or _UNKNOWN

    def with_fact(self, fact: Installation) -> "Installations":
        """With one more fact. An older one than what is known changes nothing; of two of one time the later one holds.

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
    """The JSON that is stored, which is also what is shown."""
    return _ENTRIES.dump_json(entries).decode()


def parse(document: str) -> tuple[Installation, ...]:
    """The entries in such a JSON."""
    return _ENTRIES.validate_json(document)


def on_device(document: str, device_id: str) -> tuple[str, str | None]:
    """The status and the version on a device by such a JSON, as ``of_device`` has them. A page asks for twenty of them,
    and reading the entries as a whole, with their times, takes several times as long.
    """
    found = {entry["device_id"]: entry for entry in json.loads(document)}
    entry = found.get(device_id) or found.get(None)
    if entry is None:
        return _UNKNOWN.installation_status, _UNKNOWN.installed_version_id
    return entry["installation_status"], entry["installed_version_id"]


def load(
    document: str | None, account_at: datetime | None, status: str, version_id: str | None, changed_at: datetime | None
) -> Installations:
    """What is stored of an item; without a document one fact of the account, as a version before this one has it."""
    if document is not None:
        return Installations(parse(document), account_at, changed_at)
    if changed_at is None and status == InstallationStatus.NOT_INSTALLED:
        return Installations()
    fact = Installation(None, InstallationStatus(status), version_id, changed_at or _EPOCH)
    return Installations((fact,), fact.changed_at, fact.changed_at)
