"""Conflicts of a save, and who decides them: the player per unit, an option of the command line, or a launcher.

``head`` is the version of the cloud, ``branch`` the one that grew beside it, most often on this device. A side is
chosen per unit, never per file, so no version holds files of a unit that nobody saved together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from gameshelf.savesync.wire import Attributes, CloudVersion, read_version, reading


class ConflictResolution(StrEnum):
    """How a conflict ends. Nothing is lost: the other side stays in the history, or gets a slot of its own."""

    KEEP_LOCAL = "keep_local"
    KEEP_CLOUD = "keep_cloud"
    KEEP_BOTH = "keep_both"
    MERGE = "merge"


class UnitSide(StrEnum):
    """Whose files a unit takes."""

    HEAD = "head"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class UnitConflict:
    """A unit that differs between the sides of a conflict."""

    name: str
    kind: str
    """``head_changed``, ``branch_changed``, ``both_changed``, ``head_deleted``, ``branch_deleted``,
    ``delete_vs_change``."""
    suggested: UnitSide | None
    """None: the player has to choose."""
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveConflict:
    """An open conflict of a save."""

    id: str
    savegame_id: str
    slot_name: str
    head: CloudVersion
    branch: CloudVersion
    base_version: int | None = None
    units: tuple[UnitConflict, ...] = ()
    is_whole: bool = True
    """Whether ``units`` has all that differ: an answer has the first hundred paths."""
    can_merge: bool = False
    """Whether the product has units, and both sides are sets of files."""

    @property
    def unnamed(self) -> tuple[UnitConflict, ...]:
        """The units that have no suggestion: a merge has to name them."""
        return tuple(unit for unit in self.units if unit.suggested is None)

    def to_json(self) -> dict[str, Any]:
        """For a launcher that shows the conflict in a window of its own."""
        return asdict(self)


def read_conflict(
    said: Attributes, differences: Sequence[Attributes] | None = None, *, can_merge: bool
) -> SaveConflict:
    """A conflict as the API answers it. ``differences``: all of them, where the answer has the first ones only.

    ``can_merge``: whether the policy of the product declares units.
    """
    with reading("conflict"):
        head, branch = read_version(said["head"]), read_version(said["branch"])
        found = differences if differences is not None else said.get("differences") or ()
        units = units_of(found)
        return SaveConflict(
            said["id"],
            said["savegame_id"],
            said["slot_name"],
            head,
            branch,
            said.get("base_version"),
            units,
            is_whole=len(found) >= (said.get("differences_count") or 0),
            can_merge=can_merge and head.file_count is not None and branch.file_count is not None,
        )


def units_of(differences: Sequence[Attributes]) -> tuple[UnitConflict, ...]:
    """Groups ``savegameDifference`` resources by their unit; kind and suggestion are the unit's."""
    units: dict[str, UnitConflict] = {}
    for one in differences:
        unit = units.get(one["unit"])
        suggested = UnitSide(one["suggested"]) if one.get("suggested") else None
        paths = (*(unit.paths if unit else ()), one["path"])
        units[one["unit"]] = UnitConflict(one["unit"], one["kind"], suggested, paths)
    return tuple(units.values())


@dataclass(frozen=True, slots=True)
class ConflictDecision:
    """What is to be done with a conflict. ``units`` belongs to ``merge``; what it leaves out takes its suggestion."""

    resolution: ConflictResolution
    units: Mapping[str, UnitSide] = field(default_factory=dict)


Decide = Callable[[SaveConflict], ConflictDecision | None]
"""Decides a conflict; None leaves it open, and the cloud keeps both versions."""


class OnConflict(StrEnum):
    """Answers that need nobody to ask: the option ``--on-conflict`` and what a launcher may set."""

    ASK = "ask"
    KEEP_LOCAL = "keep_local"
    KEEP_CLOUD = "keep_cloud"
    KEEP_BOTH = "keep_both"
    UNITS = "units"
    LATER = "later"


def deciding(choice: OnConflict, ask: Decide) -> Decide:
    """The decider of an answer that was given beforehand."""
    if choice is OnConflict.ASK:
        return ask
    if choice is OnConflict.LATER:
        return lambda _conflict: None
    if choice is OnConflict.UNITS:
        return merge_what_is_clear
    return lambda _conflict: ConflictDecision(ConflictResolution(choice))


def deciding_by_slot(choices: Mapping[str | None, OnConflict], ask: Decide) -> Decide:
    """The decider of answers per save; the one under None is for all others."""
    of_others = choices.get(None, OnConflict.ASK)
    return lambda conflict: deciding(choices.get(conflict.slot_name, of_others), ask)(conflict)


def merge_what_is_clear(conflict: SaveConflict) -> ConflictDecision | None:
    """Merges where each unit was changed on one side only. Anything else stays open: a guess could lose progress."""
    if conflict.can_merge and conflict.units and conflict.is_whole and not conflict.unnamed:
        return ConflictDecision(ConflictResolution.MERGE)
    return None


class UndecidableChoice(ValueError):
    """An answer that is not one of the choices."""


def decision_of(
    conflict: SaveConflict, answer: str, ask_unit: Callable[[UnitConflict], UnitSide | None]
) -> ConflictDecision | None:
    """The decision that an answer of the player means.

    ``l`` keeps this device's version, ``c`` the cloud's, ``b`` both, ``m`` merges and asks for every unit that has no
    suggestion; nothing decides later. Raises ``UndecidableChoice``.
    """
    answer = answer.strip().lower()
    if not answer:
        return None
    resolution = _RESOLUTIONS.get(answer) or next((one for one in ConflictResolution if one == answer), None)
    if resolution is None or (resolution is ConflictResolution.MERGE and not conflict.can_merge):
        raise UndecidableChoice(answer)
    if resolution is not ConflictResolution.MERGE:
        return ConflictDecision(resolution)
    chosen: dict[str, UnitSide] = {}
    for unit in conflict.unnamed:
        side = ask_unit(unit)
        if side is None:
            return None
        chosen[unit.name] = side
    return ConflictDecision(ConflictResolution.MERGE, chosen)


_RESOLUTIONS = {
    "l": ConflictResolution.KEEP_LOCAL,
    "c": ConflictResolution.KEEP_CLOUD,
    "b": ConflictResolution.KEEP_BOTH,
    "m": ConflictResolution.MERGE,
}
