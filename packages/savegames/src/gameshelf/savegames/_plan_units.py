"""Compares the units that a device names by their hashes with those of the head and of the base. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from gameshelf.savegames._lists import decode
from gameshelf.savegames._paths import fold
from gameshelf.savegames._policies import Coverage, SavePolicy
from gameshelf.savegames._units import SaveUnits

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
    """Returns by place whether a merge needs no choice. Branches whose lists are too long together are left out."""
    units, coverage, left = SaveUnits(policy), Coverage(policy), MAX_COMPARED_FILES
    hashed: dict[UUID, Mapping[str, bytes]] = {}

    def hashes_of(list_id: UUID) -> Mapping[str, bytes]:
        if list_id not in hashed:
            files = [file for file in decode(bodies[list_id]) if coverage.covers(file.path)]
            hashed[list_id] = {fold(name): content for name, content in units.hashes(files).items()}
        return hashed[list_id]

    found = {}
    for one in compared:
        lists = [one.head_list, *([one.base_list] if one.base_list else [])]
        if one.files > left or any(list_id not in bodies for list_id in lists):
            continue
        left -= one.files
        base = hashes_of(one.base_list) if one.base_list else {}
        found[one.place] = needs_no_choice(base, hashes_of(one.head_list), one.branch)
    return found


def needs_no_choice(base: Mapping[str, bytes], head: Mapping[str, bytes], branch: Mapping[str, bytes]) -> bool:
    """Whether at most one side has changed each unit; a unit that is absent has no hash."""
    return all(
        head.get(key) == branch.get(key) or base.get(key) in (head.get(key), branch.get(key))
        for key in {*base, *head, *branch}
    )
