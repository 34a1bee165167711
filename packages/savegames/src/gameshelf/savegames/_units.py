"""The units of a save: parts that only make sense whole, such as the folder of a world. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from gameshelf.savegames._files import SaveFile, identity_of
from gameshelf.savegames._paths import fold
from gameshelf.savegames._patterns import PolicyPattern, parse_pattern
from gameshelf.savegames._policies import Coverage, SavePolicy

WHOLE_SAVE = "/"
"""The unit of a product that declares none."""
MAX_UNIT_NAME = 255
"""The largest number of code points of a unit's name."""

_CAPTURE = re.compile(r"\{(\w+)\}")
_DIGITS = 16


@dataclass(frozen=True)
class SaveUnit:
    """A unit of a list of files."""

    name: str
    """As the first of its files spells it."""
    is_declared: bool
    """Whether a rule of the policy declares it. Other units contain what no pattern matches."""
    files: dict[str, SaveFile] = field(default_factory=dict)
    """Its files, by the keys of their paths."""
    beyond: set[str] = field(default_factory=set)
    """The keys of those files that the policy does not cover, no longer or not yet."""

    @cached_property
    def content(self) -> dict[str, bytes]:
        """The identity of each file that the policy covers, by the key of its path. Units are compared by it: a new
        version has none of the others, which is no change.
        """
        return {key: file.same_as for key, file in self.files.items() if key not in self.beyond}


class SaveUnits:
    """Assigns files to the units of a policy. Paths with the same key are in the same unit."""

    def __init__(self, policy: SavePolicy) -> None:
        self._rules: tuple[tuple[str, tuple[PolicyPattern, ...]], ...] = tuple(
            (rule.name, tuple(map(parse_pattern, rule.match))) for rule in policy.units
        )
        self._coverage = Coverage(policy)

    @property
    def declared(self) -> bool:
        """Whether the policy declares units; without any the whole save is one."""
        return bool(self._rules)

    def unit_of(self, path: str) -> str:
        """Returns the name of the unit of a path: of the first rule that matches it, else of its root."""
        return self._named(path, fold(path))[0]

    def split(self, files: Iterable[SaveFile]) -> dict[str, SaveUnit]:
        """Returns the units of a list, by the keys of their names."""
        units: dict[str, SaveUnit] = {}
        for file in files:
            key = fold(file.path)
            name, is_declared = self._named(file.path, key)
            unit = units.setdefault(fold(name), SaveUnit(name, is_declared))
            unit.files[key] = file
            if not self._coverage.covers(file.path):
                unit.beyond.add(key)
        return units

    def hashes(self, files: Iterable[SaveFile]) -> dict[str, bytes]:
        """Returns the ``units[].sha256`` of a plan by the names of the units: the formula of ``content_identity``."""
        return {unit.name: identity_of(unit.files.values()) for unit in self.split(files).values()}

    def _named(self, path: str, key: str) -> tuple[str, bool]:
        if not self._rules:
            return WHOLE_SAVE, False
        for name, patterns in self._rules:
            for pattern in patterns:
                captures = pattern.match_key(path, key)
                if captures is not None:
                    return _filled(name, captures), True
        return path.partition("/")[0] + "/", False


def _filled(template: str, captures: Mapping[str, str]) -> str:
    """Returns the name of a unit. Of one that is too long the hash of its key replaces the end."""
    name = _CAPTURE.sub(lambda found: captures[found[1]], template)
    if len(name) <= MAX_UNIT_NAME:
        return name
    key = fold(name)
    return f"{key[: MAX_UNIT_NAME - _DIGITS - 1]}~{sha256(key.encode()).hexdigest()[:_DIGITS]}"
