"""The policy of a product: which files are its save, where they lie, and what of them belongs together.

The service checks a policy when it takes one. This client checks it again, since a pattern that reaches a home folder
would upload it, and since a launcher may bring a policy of its own.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from gameshelf.savesync.errors import PolicyRefused
from gameshelf.savesync.paths import System, fold, wrong_with
from gameshelf.savesync.patterns import PathPattern, PatternRefused
from gameshelf.savesync.places import check_place
from gameshelf.savesync.units import UnitPatterns

T = TypeVar("T")
_ROOT_NAME = re.compile(r"[a-z0-9_-]{1,50}")
_CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_EVERYTHING = "**"
MAX_ROOTS, MAX_PLACES, MAX_PATTERNS, MAX_UNIT_RULES, MAX_PROCESSES = 32, 32, 32, 64, 32
MAX_TEMPLATE = 100
"""The largest number of code points of the name of a unit, before its captures are filled in."""


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """A place of a root, for machines that fit one of the conditions; without conditions for all."""

    path: str
    when: tuple[Mapping[str, str], ...] = ()

    def fits(self, system: System, store: str | None) -> bool:
        """Whether a game that runs on this system, from this store, has its files here."""
        said = {"os": str(system), "store": store}
        return not self.when or any(all(said.get(key) == value for key, value in one.items()) for one in self.when)


@dataclass(frozen=True, slots=True)
class PolicyRoot:
    """A folder of a save."""

    name: str
    where: tuple[PlaceRule, ...]
    include: tuple[PathPattern, ...]
    exclude: tuple[PathPattern, ...] = ()
    scope: Literal["all", "os", "machine"] = "all"

    def covers(self, key: str) -> bool:
        """Whether a path below the root belongs to the save, by its fold."""
        is_in = any(pattern.matches(key, key) for pattern in self.include)
        return is_in and not any(pattern.matches(key, key) for pattern in self.exclude)

    def reaches(self, relative: str) -> bool:
        """Whether a folder may have files of the save."""
        return any(pattern.reaches(relative) for pattern in self.include)


@dataclass(frozen=True, slots=True)
class SaveLimits:
    """How large a save may be; 0 is what the service allows."""

    max_files: int = 0
    max_bytes: int = 0
    max_file_bytes: int = 0
    oversize: Literal["refuse", "skip"] = "refuse"


@dataclass(frozen=True, slots=True)
class FolderPolicy:
    """A policy that was read and checked."""

    revision: int = 0
    source: str = "default"
    mode: Literal["sync", "backup", "off"] = "sync"
    merge: Literal["units", "never"] = "never"
    conflict_policy: str = "manual"
    roots: Mapping[str, PolicyRoot] = field(default_factory=dict)
    units: tuple[UnitPatterns, ...] = ()
    limits: SaveLimits = SaveLimits()
    settle_seconds: int = 10
    processes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: Any) -> "FolderPolicy":
        """Reads a policy as REST answers it. Raises PolicyRefused; fields of a later version are ignored."""
        said = _Fields(document, "policy")
        return cls(
            revision=said.number("revision", 0, 0, 2**53),
            source=said.text("source", "default"),
            mode=said.choice("mode", "sync", ("sync", "backup", "off")),
            merge=said.choice("merge", "never", ("units", "never")),
            conflict_policy=said.text("conflict_policy", "manual"),
            roots=_roots(said.fields("roots")),
            units=said.list("units", _unit, MAX_UNIT_RULES),
            limits=_limits(said.fields("limits")),
            settle_seconds=said.number("settle_seconds", 10, 0, 3600),
            processes=said.list("processes", _process, MAX_PROCESSES),
        )

    def scope_of(self, root: str) -> str:
        """Whose files a root has: of ``all`` systems, of one ``os``, or of one ``machine``."""
        return self.roots[root].scope if root in self.roots else "all"

    def of_scope(self, scope: str) -> "FolderPolicy":
        """The policy of a slot. Raises PolicyRefused if there is no such root: a policy without roots covers all."""
        if not self.roots:
            return self
        roots = {name: root for name, root in self.roots.items() if root.scope == scope}
        if not roots:
            raise PolicyRefused("roots", f"none of scope {scope}")
        return replace(self, roots=roots)

    def covers(self, path: str) -> bool:
        """Whether a path of a save is this policy's. One without roots covers everything."""
        if not self.roots:
            return True
        name, _, key = fold(path).partition("/")
        root = self.roots.get(name)
        return root is not None and key != "" and root.covers(key)

    def reaches(self, folder: str) -> bool:
        """Whether a folder, or a root itself, may have files that this policy covers."""
        name, _, relative = fold(folder).partition("/")
        root = self.roots.get(name)
        return not self.roots or (root is not None and (not relative or root.reaches(relative)))


class _Fields:
    """The fields of an object, each read with a check that names it."""

    def __init__(self, said: Any, name: str) -> None:
        if not isinstance(said, Mapping):
            raise PolicyRefused(name, "no_object", type(said).__name__)
        self._said, self._name = said, name

    def items(self) -> Sequence[tuple[str, "_Fields"]]:
        return [(key, _Fields(value, self.at(key))) for key, value in self._said.items()]

    def at(self, key: str) -> str:
        return key if self._name == "policy" else f"{self._name}.{key}"

    def fields(self, key: str) -> "_Fields":
        return _Fields(self._said.get(key) or {}, self.at(key))

    def text(self, key: str, default: str | None = None) -> str:
        value = self._said.get(key, default)
        if not isinstance(value, str) or not value:
            raise PolicyRefused(self.at(key), "no_text", value)
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value = self._said.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise PolicyRefused(self.at(key), f"no_number_from_{least}_to_{most}", value)
        return value

    def choice(self, key: str, default: T, choices: Sequence[T]) -> T:
        value = self._said.get(key, default)
        if value not in choices:
            raise PolicyRefused(self.at(key), "unknown", value)
        return value  # type: ignore[no-any-return]

    def list(self, key: str, read: Callable[[Any, str], T], most: int, default: Sequence[Any] = ()) -> tuple[T, ...]:
        values = self._said.get(key, default)
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise PolicyRefused(self.at(key), "no_list", type(values).__name__)
        if len(values) > most:
            raise PolicyRefused(self.at(key), f"more_than_{most}")
        return tuple(read(value, f"{self.at(key)}[{at}]") for at, value in enumerate(values))


def _roots(said: _Fields) -> Mapping[str, PolicyRoot]:
    roots = {}
    for name, root in said.items():
        if not _ROOT_NAME.fullmatch(name) or wrong_with(name):
            raise PolicyRefused(said.at(name), "root_name")
        roots[name] = PolicyRoot(
            name,
            root.list("where", _place, MAX_PLACES),
            root.list("include", _pattern, MAX_PATTERNS, (_EVERYTHING,)),
            root.list("exclude", _pattern, MAX_PATTERNS),
            root.choice("scope", "all", ("all", "os", "machine")),
        )
    if len(roots) > MAX_ROOTS:
        raise PolicyRefused("roots", f"more_than_{MAX_ROOTS}")
    return roots


def _place(said: Any, name: str) -> PlaceRule:
    place = _Fields(said, name)
    path = unicodedata.normalize("NFC", place.text("path"))
    if rule := check_place(path):
        raise PolicyRefused(f"{name}.path", rule, path)
    return PlaceRule(path, place.list("when", _condition, MAX_PLACES))


def _condition(said: Any, name: str) -> Mapping[str, str]:
    condition = _Fields(said, name)
    return {key: condition.text(key) for key in ("os", "store") if said.get(key) is not None}


def _pattern(said: Any, name: str) -> PathPattern:
    if not isinstance(said, str):
        raise PolicyRefused(name, "no_text", said)
    try:
        return PathPattern.parse(unicodedata.normalize("NFC", said))
    except PatternRefused as refused:
        raise PolicyRefused(name, refused.rule, said) from None


def _unit(said: Any, name: str) -> UnitPatterns:
    unit = _Fields(said, name)
    template = unit.text("name")
    patterns = unit.list("match", _pattern, MAX_PATTERNS)
    used = set(_CAPTURE.findall(template))
    rest = _CAPTURE.sub("", template)
    if len(template) > MAX_TEMPLATE or set(rest) & set("{}/\\"):
        raise PolicyRefused(f"{name}.name", "unit_name", template)
    if not patterns:
        raise PolicyRefused(f"{name}.match", "empty")
    for pattern in patterns:
        if not used <= pattern.names:
            raise PolicyRefused(f"{name}.name", "unit_capture", pattern.text)
    return UnitPatterns(template, patterns)


def _limits(said: _Fields) -> SaveLimits:
    return SaveLimits(
        said.number("max_files", 0, 0, 10_000),
        said.number("max_bytes", 0, 0, 2**53),
        said.number("max_file_bytes", 0, 0, 2**53),
        said.choice("oversize", "refuse", ("refuse", "skip")),
    )


def _process(said: Any, name: str) -> str:
    if not isinstance(said, str) or not said or "/" in said or "\\" in said:
        raise PolicyRefused(name, "process_name", said)
    return said
