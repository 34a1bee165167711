"""Units of a save: parts that only make sense whole, such as the folder of a world. A merge chooses a side for each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from gameshelf.savesync.canonical import HasIdentity, content_identity
from gameshelf.savesync.errors import RestoreImpossible
from gameshelf.savesync.paths import fold
from gameshelf.savesync.patterns import PathPattern

WHOLE_SAVE = "/"
"""The unit of a product that declares none."""
MAX_UNIT_NAME, _DIGITS = 255, 16
"""In code points, and digits of a hash."""
F = TypeVar("F", bound=HasIdentity)
_CAPTURE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class UnitPatterns:
    """A rule of a policy: the files of a unit, and its name with the captures filled in."""

    name: str
    patterns: tuple[PathPattern, ...]

    def unit_of(self, path: str, key: str) -> str | None:
        """The name of the unit, or None if no pattern matches."""
        found = (pattern.match(path, key) for pattern in self.patterns)
        captures = next((one for one in found if one is not None), None)
        return None if captures is None else _filled(self.name, captures)


def _filled(template: str, captures: Mapping[str, str]) -> str:
    """A name; where it would be too long, the hash of its fold replaces the end."""
    name = _CAPTURE.sub(lambda found: captures[found[1]], template)
    if len(name) <= MAX_UNIT_NAME:
        return name
    key = fold(name)
    digest = sha256(key.encode()).hexdigest()[:_DIGITS]
    return f"{key[: MAX_UNIT_NAME - _DIGITS - 1]}~{digest}"


def unit_of(path: str, rules: Sequence[UnitPatterns]) -> str:
    """The unit that a path belongs to: of the first rule that matches, else that of its root."""
    if not rules:
        return WHOLE_SAVE
    key = fold(path)
    named = next(filter(None, (rule.unit_of(path, key) for rule in rules)), None)
    return named if named is not None else path.partition("/")[0] + "/"


def split(files: Mapping[str, F], rules: Sequence[UnitPatterns]) -> dict[str, dict[str, F]]:
    """The files of each unit, by the unit's name. Names that fold the same are one unit, under its first spelling."""
    names: dict[str, str] = {}
    units: dict[str, dict[str, F]] = {}
    for path in sorted(files, key=str.encode):
        name = unit_of(path, rules)
        units.setdefault(names.setdefault(fold(name), name), {})[path] = files[path]
    return units


def with_units_of(
    files: Mapping[str, F], others: Mapping[str, F], names: Sequence[str], rules: Sequence[UnitPatterns]
) -> dict[str, F]:
    """Files in which the named units are those of others. Raises RestoreImpossible for a unit that others lack."""
    own, taken = split(files, rules), split(others, rules)
    keys = {fold(name): name for name in taken}
    if lacking := [name for name in names if fold(name) not in keys]:
        has = ", ".join(map(repr, taken)) or "none"
        raise RestoreImpossible(f"there is no unit {lacking[0]!r}; there are {has}")
    wanted = {fold(name) for name in names}
    kept = [unit for name, unit in own.items() if fold(name) not in wanted]
    return {path: file for unit in [*kept, *(taken[keys[key]] for key in wanted)] for path, file in unit.items()}


def unit_hashes(files: Mapping[str, HasIdentity], rules: Sequence[UnitPatterns]) -> dict[str, str]:
    """What a plan compares: the hash of each unit's files, by the unit's name. Empty where no units are declared."""
    return {name: content_identity(unit) for name, unit in split(files, rules).items()} if rules else {}
