"""Which dump a drill restores: the newest. A newer one that is unusable is no reason to accept an older one."""

from datetime import datetime
from pathlib import Path

from gameshelf.libctl.backup import manifest as manifests
from gameshelf.libctl.backup import places, remote
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.places import BackupPlace
from gameshelf.libctl.backup.retention import newest_good
from gameshelf.libctl.errors import NothingFound, Refused


async def newest_dump(place: BackupPlace, now: datetime) -> tuple[BackupPlace, list[str]]:
    """Returns the newest dump at a place that can be read, and a sentence for each newer one that can't.

    A folder may be a dump itself. Raises NothingFound.
    """
    if place.folder:
        return _in_folder(place.folder)
    assert place.address
    if place.backup_id:
        return place, []
    async with places.connected(place.address) as store:
        found = await remote.stored(store)
    newest = newest_good(found, now)
    if newest is None:
        raise NothingFound(f"{place} holds no good backup", f"libctl backup list {place}")
    # An incomplete one may be under way.
    unusable = [one for one in found if one.point > newest.point and one.state in ("damaged", "unreadable")]
    chosen = BackupPlace(address=place.address, backup_id=newest.id)
    return chosen, [f"{one.id} is newer, and {one.state}: {one.problem}" for one in unusable]


def _in_folder(folder: Path) -> tuple[BackupPlace, list[str]]:
    if (folder / manifests.NAME).exists():
        return BackupPlace(folder=folder), []
    good: dict[Path, datetime] = {}
    bad: dict[Path, str] = {}
    for path in sorted(folder.glob(f"*/{manifests.NAME}")):
        if path.parent.name.endswith(".partial"):
            continue
        try:
            good[path.parent] = Manifest.read(path.parent).restored_point
        except Refused as refused:
            bad[path.parent] = refused.message
    if not good:
        raise NothingFound(f"{folder} holds no backup", "a folder that `libctl backup create` made, or one of those")
    newest = max(good, key=lambda path: good[path])

    def written(path: Path) -> float:
        # All that is known of it: its manifest does not say when.
        return (path / manifests.NAME).stat().st_mtime

    newer = [path for path in bad if written(path) > written(newest)]
    return BackupPlace(folder=newest), [f"{path.name} is newer: {bad[path]}" for path in newer]
