"""Differences between two versions of a set, against their common ancestor, and merges of them (contract, section 3.6).

A merge chooses a side for each unit, never for a file, so no version contains a unit that nobody saved. Pure.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gameshelf.savegames._files import FileList, SaveFile, ordered
from gameshelf.savegames._limits import MAX_SET_FILES
from gameshelf.savegames._paths import fold, problems
from gameshelf.savegames._units import SaveUnit, SaveUnits


class DifferenceKind(StrEnum):
    """How a unit differs between the sides of a conflict. Where the ancestor's list is not known, both have changed."""

    HEAD_CHANGED = "head_changed"
    BRANCH_CHANGED = "branch_changed"
    BOTH_CHANGED = "both_changed"
    HEAD_DELETED = "head_deleted"
    BRANCH_DELETED = "branch_deleted"
    DELETE_VS_CHANGE = "delete_vs_change"


class MergeSide(StrEnum):
    """The side of a conflict whose files of a unit a merge takes."""

    HEAD = "head"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class PathDifference:
    """A file that is not the same on both sides and in their ancestor; None: the side has no such file."""

    path: str
    base: SaveFile | None
    head: SaveFile | None
    branch: SaveFile | None


@dataclass(frozen=True, slots=True)
class UnitDifference:
    """A unit that differs between the sides."""

    unit: str
    kind: DifferenceKind
    suggested: MergeSide | None
    """The only side that has changed the unit; None: the user has to choose."""
    paths: tuple[PathDifference, ...]


class MergeObstacle(StrEnum):
    """Why a merge is impossible, whatever its choices are."""

    NO_UNITS = "no_units"
    """The product declares no units."""
    UNITS_MEET = "units_meet"
    """A file of one unit would be a folder of another unit."""
    EMPTY = "empty"
    """Nothing would be left."""
    TOO_MANY_FILES = "too_many_files"


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a merge."""

    files: FileList


@dataclass(frozen=True, slots=True)
class UnnamedUnits:
    """Units without a suggestion that no choice names."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownUnits:
    """Keys of choices that are no units of any side, or that name one unit twice with different sides."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    """A unit on the head, on the branch and in their ancestor; an absent unit is empty."""

    name: str
    base: SaveUnit
    head: SaveUnit
    branch: SaveUnit


def three_way(base: FileList | None, head: FileList, branch: FileList, units: SaveUnits) -> tuple[UnitDifference, ...]:
    """Returns the units that differ between head and branch, in the order of their names.

    ``base`` is the list of the common ancestor; None if it is not known, and empty if both grew from nothing.
    """
    return tuple(_differences(_sides(base, head, branch, units).values(), base_known=base is not None))


def merge(
    base: FileList | None, head: FileList, branch: FileList, units: SaveUnits, choices: Mapping[str, MergeSide]
) -> Merged | UnnamedUnits | UnknownUnits | MergeObstacle:
    """Merges two sides by units: each differing unit is that of the chosen side, else that of the suggested one.

    What the policy does not cover belongs to no unit that is chosen (``_left_beside``).
    """
    if not units.declared:
        return MergeObstacle.NO_UNITS
    sides = _sides(base, head, branch, units)
    chosen: dict[str, MergeSide] = {}
    unknown = tuple(
        name for name, side in choices.items() if fold(name) not in sides or chosen.setdefault(fold(name), side) != side
    )
    if unknown:
        return UnknownUnits(unknown)
    differences = {fold(one.unit): one for one in _differences(sides.values(), base_known=base is not None)}
    unnamed = tuple(one.unit for key, one in differences.items() if not one.suggested and key not in chosen)
    if unnamed:
        return UnnamedUnits(unnamed)
    taken: list[SaveFile] = []
    left: list[SaveFile] = []
    for key, unit in sides.items():
        difference = differences.get(key)
        side = chosen.get(key, difference.suggested) if difference else MergeSide.HEAD
        taken += (unit.branch if side is MergeSide.BRANCH else unit.head).files.values()
        if side is MergeSide.BRANCH:
            left += _left_beside(unit.head, unit.branch)
    return _whole_with(taken, left)


def merges_itself(differences: Iterable[UnitDifference], *, base_known: bool) -> bool:
    """Whether a merge needs no choice. It may still meet an obstacle."""
    return base_known and all(one.suggested for one in differences)


def automatic_merge(base: FileList | None, head: FileList, branch: FileList, units: SaveUnits) -> Merged | None:
    """Returns the merge of two sides if it needs no choice and meets no obstacle."""
    if base is None:
        return None
    found = merge(base, head, branch, units, {})
    return found if isinstance(found, Merged) else None


def take_units(
    head: FileList, version: FileList, units: SaveUnits, names: Collection[str]
) -> Merged | UnknownUnits | MergeObstacle:
    """Returns the head with these units as another version has them; a unit that it does not have is removed, but for
    what the policy does not cover (``_left_beside``).
    """
    ours, theirs = units.split(head), units.split(version)
    wanted = {fold(name): name for name in names}
    unknown = tuple(name for key, name in wanted.items() if key not in ours and key not in theirs)
    if unknown:
        return UnknownUnits(unknown)
    kept = [file for key, unit in ours.items() if key not in wanted for file in unit.files.values()]
    taken = [file for key, unit in theirs.items() if key in wanted for file in unit.files.values()]
    replaced = [unit for key, unit in ours.items() if key in wanted]
    left = [file for unit in replaced for file in _left_beside(unit, theirs.get(fold(unit.name)))]
    return _whole_with([*kept, *taken], left)


def _left_beside(head: SaveUnit, taken: SaveUnit | None) -> list[SaveFile]:
    """The files of the head that stay where a merge or a restore replaces a unit of it: those that the policy does not
    cover. A version that was saved since it covers less has none of them, which is no reason to delete them.

    Where the other version has such files of that unit too, it has them as they were saved with the rest, and they are
    taken like that: those of two versions are never mixed.
    """
    if taken and taken.beyond:
        return []
    return [head.files[key] for key in head.beyond]


def _whole_with(files: list[SaveFile], left: list[SaveFile]) -> Merged | MergeObstacle:
    """The files as a list, with those that are left beside them, unless these do not fit: they hinder nothing."""
    found = _whole([*files, *left]) if files else MergeObstacle.EMPTY
    return found if isinstance(found, Merged) else _whole(files)


def _whole(files: Collection[SaveFile]) -> Merged | MergeObstacle:
    """The files as a list, if they can be a version."""
    if not files:
        return MergeObstacle.EMPTY
    if len(files) > MAX_SET_FILES:
        return MergeObstacle.TOO_MANY_FILES
    found = ordered(files)
    return MergeObstacle.UNITS_MEET if problems([file.path for file in found], str, most=1) else Merged(found)


def _sides(base: FileList | None, head: FileList, branch: FileList, units: SaveUnits) -> dict[str, _Sides]:
    """The units of all sides by the keys of their names, in the order of the names. The branch's spelling counts."""
    lists = [units.split(files) for files in (base or (), head, branch)]
    found = {}
    for key in {key for one in lists for key in one}:
        first = next(one[key] for one in reversed(lists) if key in one)
        absent = SaveUnit(first.name, first.is_declared)
        found[key] = _Sides(first.name, *(one.get(key, absent) for one in lists))
    return dict(sorted(found.items(), key=lambda one: one[1].name))


def _differences(sides: Iterable[_Sides], *, base_known: bool) -> Iterator[UnitDifference]:
    for unit in sides:
        if unit.head.content != unit.branch.content:
            kind, suggested = _kind(unit, base_known=base_known)
            yield UnitDifference(unit.name, kind, suggested, _paths(unit))


def _kind(unit: _Sides, *, base_known: bool) -> tuple[DifferenceKind, MergeSide | None]:
    base, head, branch = unit.base.content, unit.head.content, unit.branch.content
    if not base_known:
        return DifferenceKind.BOTH_CHANGED, None
    if head == base:
        return DifferenceKind.BRANCH_CHANGED if branch else DifferenceKind.BRANCH_DELETED, MergeSide.BRANCH
    if branch == base:
        return DifferenceKind.HEAD_CHANGED if head else DifferenceKind.HEAD_DELETED, MergeSide.HEAD
    if not (head and branch):
        return DifferenceKind.DELETE_VS_CHANGE, None
    return DifferenceKind.BOTH_CHANGED, None


def _paths(unit: _Sides) -> tuple[PathDifference, ...]:
    found = []
    for key in unit.base.files.keys() | unit.head.files.keys() | unit.branch.files.keys():
        base, head, branch = (one.files.get(key) for one in (unit.base, unit.head, unit.branch))
        if len({file and file.same_as for file in (base, head, branch)}) > 1:
            shown = next(file for file in (branch, head, base) if file)
            found.append(PathDifference(shown.path, base, head, branch))
    return tuple(sorted(found, key=lambda one: one.path))
