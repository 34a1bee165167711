"""Guards of new heads: does one shrink the save, and did its device have the head? (contract, section 3.6)

A request that would shrink the save is refused until it says so; a branch that would is never merged by itself. Pure.
"""

from dataclasses import dataclass

from gameshelf.savegames._files import FileList
from gameshelf.savegames._paths import fold
from gameshelf.savegames._policies import Coverage, SavePolicy
from gameshelf.savegames._units import SaveUnits

MIN_GUARDED_FILES = 3
"""A head with fewer files may shrink without a question."""


@dataclass(frozen=True, slots=True)
class RemovedFiles:
    """The files of the head that a new list lacks."""

    files: int
    bytes: int
    """The sum of their sizes."""
    units: tuple[str, ...]
    """The declared units of which nothing is left, in the order of their names."""


def removed_files(head: FileList, new: FileList, units: SaveUnits) -> RemovedFiles | None:
    """Returns what the new list lacks, or None. Paths are compared by their keys; a shorter file is not removed.

    ``head`` has only the files that the product's policy covers.
    """
    kept = {fold(file.path) for file in new}
    gone = [file for file in head if fold(file.path) not in kept]
    if not gone:
        return None
    left = units.split(new)
    emptied = [unit.name for key, unit in units.split(head).items() if unit.is_declared and key not in left]
    return RemovedFiles(len(gone), sum(file.size for file in gone), tuple(sorted(emptied)))


def shrinks(head: FileList, new: FileList, units: SaveUnits) -> RemovedFiles | None:
    """Returns what the new list lacks if its client has to confirm that: more than half of the files or bytes of the
    head, or a declared unit.
    """
    if len(head) < MIN_GUARDED_FILES:
        return None
    removed = removed_files(head, new, units)
    if removed is None:
        return None
    is_most = 2 * removed.files > len(head) or 2 * removed.bytes > sum(file.size for file in head)
    return removed if is_most or removed.units else None


def shrinks_covered(head: FileList, new: FileList, policy: SavePolicy) -> RemovedFiles | None:
    """As ``shrinks``, of those files of the head that a policy covers. A single file lacks all of them: it is ()."""
    coverage = Coverage(policy)
    return shrinks(tuple(file for file in head if coverage.covers(file.path)), new, SaveUnits(policy))


def is_synced(device_id: str, device_version: int | None, head_version: int, head_device_id: str | None) -> bool:
    """Whether a device had the head: it uploaded, reported or restored that version. ``device_version`` is the version
    that it uploaded or reported last.
    """
    return device_version == head_version or head_device_id == device_id
