"""Compares the units that a device names by their hashes with those of the head and of the base. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from gameshelf.savegames._files import identity_of
from gameshelf.savegames._guards import shrinks
from gameshelf.savegames._lists import decode
from gameshelf.savegames._policies import Coverage, SavePolicy
from gameshelf.savegames._units import SaveUnit, SaveUnits

MAX_COMPARED_FILES = 20_000
"""Lists with so many files together are compared for a plan; further branches are not known to merge by themselves."""


@dataclass(frozen=True, slots=True)
class ComparedUnits:
    """The units of a branch, and the lists to compare them with."""

    place: int
    head_list: UUID
    base_list: UUID | None
    """None: both sides grew from nothing."""
    files: int
    """The number of files of both lists."""
    branch: Mapping[str, bytes]
    """The hashes of the device's units, by the keys of their names."""


def compare_units(
    compared: Iterable[ComparedUnits], bodies: Mapping[UUID, bytes], policy: SavePolicy
) -> dict[int, bool]:
    """Returns by place whether the commit merges the branch by itself. Branches whose lists are too long together are
    left out.

    Of a unit that the device has changed only the hash is known. If it lacks so many of its files that the merge would
    shrink the head, the commit finds that and opens the conflict.
    """
    units, coverage, left = SaveUnits(policy), Coverage(policy), MAX_COMPARED_FILES
    found_units: dict[UUID, Mapping[str, SaveUnit]] = {}

    def units_of(list_id: UUID) -> Mapping[str, SaveUnit]:
        if list_id not in found_units:
            found_units[list_id] = units.split(file for file in decode(bodies[list_id]) if coverage.covers(file.path))
        return found_units[list_id]

    found = {}
    for one in compared:
        lists = [one.head_list, *([one.base_list] if one.base_list else [])]
        if one.files > left or any(list_id not in bodies for list_id in lists):
            continue
        left -= one.files
        base, head = units_of(one.base_list) if one.base_list else {}, units_of(one.head_list)
        needs_none = needs_no_choice(_hashes(base), _hashes(head), one.branch)
        found[one.place] = needs_none and not _shrinks(base, head, one.branch, units)
    return found


def _hashes(found: Mapping[str, SaveUnit]) -> dict[str, bytes]:
    return {key: identity_of(unit.files.values()) for key, unit in found.items()}


def _shrinks(
    base: Mapping[str, SaveUnit], head: Mapping[str, SaveUnit], branch: Mapping[str, bytes], units: SaveUnits
) -> bool:
    """Whether the head would shrink by the units alone that the device has no more."""
    kept = [file for key, unit in head.items() if key in branch or key not in base for file in unit.files.values()]
    before = [file for unit in head.values() for file in unit.files.values()]
    if not kept and not branch.keys() - base.keys():
        return True  # nothing would be left
    return shrinks(tuple(before), tuple(kept), units) is not None


def needs_no_choice(base: Mapping[str, bytes], head: Mapping[str, bytes], branch: Mapping[str, bytes]) -> bool:
    """Whether at most one side has changed each unit; a unit that is absent has no hash."""
    return all(
        head.get(key) == branch.get(key) or base.get(key) in (head.get(key), branch.get(key))
        for key in {*base, *head, *branch}
    )
