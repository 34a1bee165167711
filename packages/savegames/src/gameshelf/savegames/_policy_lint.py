"""What is doubtful in a policy: holes, rules without effect, and folders that are saved whole. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any

from gameshelf.kernel.errors import pointer_step
from gameshelf.savegames._paths import fold
from gameshelf.savegames._patterns import PolicyPattern, can_meet, parse_pattern
from gameshelf.savegames._places import GAME_FOLDER, NAME_PLACEHOLDERS, canonical_place
from gameshelf.savegames._policies import (
    PlaceCondition,
    PolicyDocument,
    RootPlace,
    SavePolicy,
    from_file,
)
from pydantic import ValidationError

_EVERYTHING = frozenset({"**", "**/*", "*", "*/**"})
_OF_A_KEY = "[key]"
"""The last step of pydantic's place of an error in a key."""


class FindingLevel(StrEnum):
    """Whether a policy can't be used, or may not do what it should."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """A place of a policy that is wrong or doubtful."""

    level: FindingLevel
    pointer: str
    """The path of the field, escaped as in RFC 6901."""
    rule: str
    params: dict[str, Any] = field(default_factory=dict)


def lint_document(document: Mapping[str, Any]) -> tuple[PolicyDocument | None, list[PolicyFinding]]:
    """Parses and checks a file of an operator. There is no policy if a finding is an error."""
    try:
        parsed = from_file(document)
    except ValidationError as error:
        return None, [_error(one["loc"], one["type"]) for one in error.errors(include_url=False, include_input=False)]
    return parsed, lint_policy(parsed)


def _error(location: tuple[str | int, ...], rule: str) -> PolicyFinding:
    return PolicyFinding(FindingLevel.ERROR, _pointer(*(one for one in location if one != _OF_A_KEY)), rule)


def lint_policy(policy: SavePolicy) -> list[PolicyFinding]:
    """Returns the warnings for a policy."""
    return [*_units_warnings(policy), *_roots_warnings(policy), *_overlaps(policy), *_limit_warnings(policy)]


def _warning(rule: str, *location: str | int, **params: Any) -> PolicyFinding:
    return PolicyFinding(FindingLevel.WARNING, _pointer(*location), rule, params)


def _pointer(*location: str | int) -> str:
    return "".join(map(pointer_step, location)).removeprefix("/")


def _units_warnings(policy: SavePolicy) -> Iterator[PolicyFinding]:
    if policy.merge == "units" and not policy.units:
        yield _warning("merge_without_units", "merge")
    for index, rule in enumerate(policy.units):
        for at, text in enumerate(rule.match):
            place = ("units", index, "match", at)
            pattern = parse_pattern(text)
            unused = sorted(name for name in pattern.names if f"{{{name}}}" not in rule.name)
            if unused:
                yield _warning("capture_unused", *place, names=unused)
            if not policy.roots:
                continue
            first = text.partition("/")[0]
            is_literal = not set(first) & set("*?{")
            if is_literal and fold(first) not in policy.roots:
                yield _warning("unit_root_unknown", *place, root=first)
            elif not any(can_meet(pattern, one) for one in _included(policy, fold(first) if is_literal else None)):
                yield _warning("unit_matches_nothing", *place)


def _included(policy: SavePolicy, root_name: str | None) -> Iterator[PolicyPattern]:
    """Patterns of all paths that the policy includes, in one root or in all."""
    for name, root in policy.roots.items():
        if root_name in (None, name):
            yield from (parse_pattern(text).below(name) for text in root.include)


def _roots_warnings(policy: SavePolicy) -> Iterator[PolicyFinding]:
    for name, root in policy.roots.items():
        if not root.where:
            yield _warning("root_without_place", "roots", name, "where")
        if not root.include:
            yield _warning("root_includes_nothing", "roots", name, "include")
        is_whole = not root.exclude and not _EVERYTHING.isdisjoint(root.include)
        for index, place in enumerate(root.where):
            if is_whole and _is_game_folder(place.path):
                yield _warning("whole_game_folder", "roots", name, "where", index)


def _is_game_folder(place: str) -> bool:
    """Whether a place is the folder of the game, or may be any folder in it: some tools take an id for a wildcard."""
    first, *below = place.split("/")
    return first == GAME_FOLDER and NAME_PLACEHOLDERS.issuperset(below)


def _overlaps(policy: SavePolicy) -> Iterator[PolicyFinding]:
    """Pairs of roots of which one may be inside of the other, so a file would be in the save twice."""
    for (name, root), (other_name, other) in combinations(policy.roots.items(), 2):
        for index, place in enumerate(root.where):
            if any(_overlap(place, one) for one in other.where):
                yield _warning("roots_overlap", "roots", name, "where", index, other=other_name)


def _overlap(place: RootPlace, other: RootPlace) -> bool:
    ours, theirs = canonical_place(place.path), canonical_place(other.path)
    shared = min(len(ours), len(theirs))
    return ours[:shared] == theirs[:shared] and _can_hold_together(place, other)


def _can_hold_together(place: RootPlace, other: RootPlace) -> bool:
    if not place.when or not other.when:
        return True
    return any(_fits(one.os, two.os) and _fits(one.store, two.store) for one, two in _pairs(place, other))


def _pairs(place: RootPlace, other: RootPlace) -> Iterator[tuple[PlaceCondition, PlaceCondition]]:
    for one in place.when:
        for two in other.when:
            yield one, two


def _fits(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _limit_warnings(policy: SavePolicy) -> Iterator[PolicyFinding]:
    limits = policy.limits
    if 0 < limits.max_bytes < limits.max_file_bytes:
        yield _warning("limit_never_reached", "limits", "max_file_bytes", max_bytes=limits.max_bytes)
