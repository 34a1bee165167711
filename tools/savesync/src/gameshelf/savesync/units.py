"""Units of a save: parts that only make sense whole, such as the folder of a world. A merge chooses a side for each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from gameshelf.savesync.canonical import HasIdentity, content_identity
from gameshelf.savesync.paths import fold
from gameshelf.savesync.patterns import PathPattern

WHOLE_SAVE = "/"
"""The unit of a product that declares none."""
F = TypeVar("F", bound=HasIdentity)
_CAPTURE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class UnitPatterns:
    """A rule of a policy: the files of a unit, and its name with the captures filled in."""

    name: str
    patterns: tuple[PathPattern, ...]

    def unit_of(self, path: str) -> str | None:
        """The name of the unit, or None if no pattern matches."""
        for pattern in self.patterns:
            captures = pattern.match(path)
            if captures is not None:
                return _CAPTURE.sub(partial(_filled, captures), self.name)
        return None


def _filled(captures: Mapping[str, str], found: re.Match[str]) -> str:
    return captures[found[1]]


def unit_of(path: str, rules: Sequence[UnitPatterns]) -> str:
    """The unit that a path belongs to: of the first rule that matches, else that of its root."""
    if not rules:
        return WHOLE_SAVE
    named = next(filter(None, (rule.unit_of(path) for rule in rules)), None)
    return named if named is not None else path.partition("/")[0] + "/"


def split(files: Mapping[str, F], rules: Sequence[UnitPatterns]) -> dict[str, dict[str, F]]:
    """The files of each unit, by the unit's name. Names that fold the same are one unit, under its first spelling."""
    names: dict[str, str] = {}
    units: dict[str, dict[str, F]] = {}
    for path in sorted(files, key=str.encode):
        name = unit_of(path, rules)
        units.setdefault(names.setdefault(fold(name), name), {})[path] = files[path]
    return units


def unit_hashes(files: Mapping[str, HasIdentity], rules: Sequence[UnitPatterns]) -> dict[str, str]:
    """What a plan compares: the hash of each unit's files, by the unit's name. Empty where no units are declared."""
    return {name: content_identity(unit) for name, unit in split(files, rules).items()} if rules else {}
