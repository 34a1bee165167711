"""An item after a change, and the changes that an event reports. No I/O, no clock."""

from collections.abc import Mapping, Set
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.library._commands import ItemChanges
from gameshelf.library._installations import Installation, Installations
from gameshelf.library._models import InstallationStatus
from gameshelf.library._store import StoredItem


def edited(item: StoredItem, sent: Mapping[str, Any], now: datetime) -> StoredItem:
    """Returns the item with those fields of ``ItemChanges`` that were sent, except for its categories."""
    after = replace(item, is_hidden=sent.get("is_hidden", item.is_hidden))
    if sent.keys() & {"installation_status", "installed_version_id"}:
        after = replace(after, installations=_installed(item.installations, sent.get("device_id"), sent, now))
    return after


def categories_of(now: Set[UUID], changes: ItemChanges) -> Set[UUID]:
    """Returns the categories of an item after the user has replaced, added or removed some."""
    if "category_ids" in changes.model_fields_set:
        return set(changes.category_ids)
    return (now | set(changes.add_category_ids)) - set(changes.remove_category_ids)


def names_categories(changes: ItemChanges) -> bool:
    """Whether a change names categories."""
    return bool(changes.model_fields_set & {"category_ids", "add_category_ids", "remove_category_ids"})


def unknown_category(changes: ItemChanges, existing: Set[UUID]) -> str | None:
    """Returns the path of the first category that does not exist; None where all exist."""
    for name in ("category_ids", "add_category_ids"):
        for index, category_id in enumerate(getattr(changes, name)):
            if category_id not in existing:
                return f"{name}/{index}"
    return None


def _installed(before: Installations, device_id: str | None, sent: Mapping[str, Any], now: datetime) -> Installations:
    """Returns the installations after a user's change of one device or of all. It counts as of now.

    A game that is uninstalled loses its version, unless one is named.
    """
    known = before.of_device(device_id) if device_id is not None else before.summary
    status = sent.get("installation_status", known.installation_status)
    version = None if status is InstallationStatus.NOT_INSTALLED else known.installed_version_id
    version = sent.get("installed_version_id", version)
    # Not older than a known fact: one from a clock slightly ahead of ours may have been received already.
    if device_id is None:
        times: tuple[datetime | None, ...] = (now, before.newest_at)
    else:
        times = (now, before.account_at, *(one.changed_at for one in before.entries if one.device_id == device_id))
    return before.with_fact(Installation(device_id, status, version, max(filter(None, times))))


def changes_of(before: StoredItem, after: StoredItem) -> dict[str, Any]:
    """Returns the new values by attribute. A new time alone of an installation is no change."""
    changed: dict[str, Any] = {}
    if after.is_hidden != before.is_hidden:
        changed["is_hidden"] = after.is_hidden
    was, is_now = before.installations, after.installations
    for name in ("installation_status", "installed_version_id"):
        if getattr(is_now.summary, name) != getattr(was.summary, name):
            changed[name] = getattr(is_now.summary, name)
    if _without_times(is_now) != _without_times(was):
        changed["installations"] = [asdict(one) for one in is_now.entries]
    return changed


def _without_times(of: Installations) -> list[tuple[str | None, str, str | None]]:
    known: list[tuple[str | None, str, str | None]] = [
        (one.device_id, one.installation_status, one.installed_version_id) for one in of.entries
    ]
    # A game without any fact counts as not installed.
    return [] if known == [(None, InstallationStatus.NOT_INSTALLED, None)] else known
