"""Patterns of a policy: which paths they match, and what their captures hold.

A pattern is matched against the fold of a path, part by part. The part ``**`` is any number of parts, as the last part
at least one; within a part ``*`` is any run of code points, ``?`` is one, and ``{name}`` captures one or more, as few
as fit. Everything else is literal.

No input makes matching slow. What stands between two gaps has a fixed length, and a later gap can take whatever an
earlier one leaves: so the first place where a piece fits is the right one, and nothing is tried twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate, pairwise
from typing import TypeVar

from gameshelf.savesync.paths import fold

MAX_PATTERN, MAX_PATTERN_PARTS, MAX_CAPTURES = 256, 32, 8
_TOKEN = re.compile(r"(?P<stars>\*\*+)|(?P<star>\*)|(?P<any>\?)|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<literal>[^*?{}]+)")
_CHARACTER = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|\\]')


class PatternRefused(ValueError):
    """A text that is no pattern, with the rule that it breaks."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text!r}")
        self.rule, self.text = rule, text


class _Kind(Enum):
    LITERAL, STAR, ANY, CAPTURE = range(4)

    @property
    def is_gap(self) -> bool:
        return self in (_Kind.STAR, _Kind.CAPTURE)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str = ""
    """The fold of a literal, or the name of a capture."""


_Part = tuple[_Token, ...] | None
"""Of a pattern; None is ``**``."""
Item = TypeVar("Item")
_Places = dict[str, tuple[int, int]]
"""Where captures begin and end."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern of a policy."""

    text: str
    parts: tuple[_Part, ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Raises PatternRefused."""
        rule = _wrong_with(text)
        if rule:
            raise PatternRefused(rule, text)
        parts = tuple(_parse_part(part, text) for part in text.split("/"))
        if any(one is None and other is None for one, other in pairwise(parts)):
            raise PatternRefused("pattern_adjacent", text)
        names = [token.text for part in parts for token in part or () if token.kind is _Kind.CAPTURE]
        if len(names) > MAX_CAPTURES:
            raise PatternRefused("pattern_too_many_names", text)
        if len(set(names)) < len(names):
            raise PatternRefused("pattern_repeated_name", text)
        return cls(text, parts)

    @property
    def names(self) -> frozenset[str]:
        """The names of its captures."""
        tokens = (token for part in self.parts for token in part or ())
        return frozenset(token.text for token in tokens if token.kind is _Kind.CAPTURE)

    def match(self, path: str, key: str | None = None) -> Mapping[str, str] | None:
        """The captures, as the path spells them; None if the path does not match. ``key`` is its fold, where known."""
        key = fold(path) if key is None else key
        found = _match_parts(self.parts, key.split("/"))
        if found is None:
            return None
        spelt = path if len(path) == len(key) else key  # where letters and marks compose, only the key has these places
        return {name: spelt[begin:end] for name, (begin, end) in found.items()}

    def reaches(self, folder: str) -> bool:
        """Whether a path below this folder may match."""
        return _reaches(self.parts, fold(folder).split("/"))

    def matches(self, path: str, key: str | None = None) -> bool:
        """Whether the path matches."""
        return _match_parts(self.parts, (fold(path) if key is None else key).split("/")) is not None


def _wrong_with(text: str) -> str | None:
    if not text:
        return "pattern_empty"
    if len(text) > MAX_PATTERN:
        return "pattern_too_long"
    if text.startswith("/"):
        return "pattern_absolute"
    if _CHARACTER.search(text):
        return "pattern_character"
    parts = text.split("/")
    if "" in parts:
        return "pattern_part_empty"
    if "." in parts or ".." in parts:
        return "pattern_part_dots"
    return "pattern_too_many_parts" if len(parts) > MAX_PATTERN_PARTS else None


def _parse_part(part: str, text: str) -> _Part:
    if part == "**":
        return None
    tokens: list[_Token] = []
    at = 0
    while at < len(part):
        found = _TOKEN.match(part, at)
        if found is None:
            raise PatternRefused("pattern_braces", text)
        if found["stars"]:
            raise PatternRefused("pattern_stars", text)
        tokens.append(_token(found))
        at = found.end()
    if any(one.kind.is_gap and other.kind.is_gap for one, other in pairwise(tokens)):
        raise PatternRefused("pattern_adjacent", text)
    return tuple(tokens)


def _token(found: re.Match[str]) -> _Token:
    if found["literal"]:
        return _Token(_Kind.LITERAL, fold(found["literal"]))
    if found["name"]:
        return _Token(_Kind.CAPTURE, found["name"])
    return _Token(_Kind.STAR if found["star"] else _Kind.ANY)


def _match_parts(pattern: Sequence[_Part], key: Sequence[str]) -> _Places | None:
    """Runs of parts between two ``**``: each where it fits first, and the last one at the end."""
    first, *runs = _split(pattern, lambda part: part is None)
    at, places = len(first), _match_run(first, key, 0, 0)
    if places is None or not runs:
        return places if at == len(key) else None
    begins = [0, *accumulate(len(part) + 1 for part in key)]
    for run in runs[:-1]:
        fits = ((begin, _match_run(run, key, begin, begins[begin])) for begin in range(at, len(key) - len(run) + 1))
        at, found = next(((begin + len(run), found) for begin, found in fits if found is not None), (at, None))
        if found is None:
            return None
        places |= found
    last = runs[-1]
    begin = len(key) - len(last)
    if begin < at or (not last and begin == at):  # at the end ``**`` is one part at least
        return None
    found = _match_run(last, key, begin, begins[begin])
    return None if found is None else places | found


def _match_run(run: Sequence[_Part], key: Sequence[str], at: int, begin: int) -> _Places | None:
    """Matches each part of a run with the part of the key at its place."""
    places: _Places = {}
    if at + len(run) > len(key):
        return None
    for part, text in zip(run, key[at:], strict=False):
        found = _match_part(part or (), text, begin)
        if found is None:
            return None
        places |= found
        begin += len(text) + 1
    return places


def _reaches(pattern: Sequence[_Part], folder: Sequence[str]) -> bool:
    for at, name in enumerate(folder):
        if at == len(pattern):
            return False
        part = pattern[at]
        if part is None:
            return True
        if _match_part(part, name, 0) is None:
            return False
    return len(folder) < len(pattern)


def _match_part(tokens: Sequence[_Token], text: str, begin: int) -> _Places | None:
    """The same within a part: pieces between two gaps. ``begin`` is where the text begins in the whole key."""
    gaps = [token for token in tokens if token.kind.is_gap]
    first, *pieces = _split(tokens, lambda token: token.kind.is_gap)
    at = _end_of(first, text, 0)
    if at is None or not gaps:
        return {} if at == len(text) else None
    places: _Places = {}
    for gap, piece in zip(gaps, pieces, strict=True):
        least = at + (gap.kind is _Kind.CAPTURE)
        end = _end_of_text(piece, text, least) if piece is pieces[-1] else _first_place(piece, text, least)
        if end is None:
            return None
        if gap.kind is _Kind.CAPTURE:
            places[gap.text] = (begin + at, begin + end)
        at = end + _length(piece)
    return places


def _split(items: Sequence[Item], is_gap: Callable[[Item], bool]) -> list[list[Item]]:
    runs: list[list[Item]] = [[]]
    for item in items:
        if is_gap(item):
            runs.append([])
        else:
            runs[-1].append(item)
    return runs


def _length(piece: Sequence[_Token]) -> int:
    return sum(len(token.text) if token.kind is _Kind.LITERAL else 1 for token in piece)


def _end_of(piece: Sequence[_Token], text: str, at: int) -> int | None:
    """Where a piece ends that begins here, or None if it does not fit."""
    for token in piece:
        if token.kind is _Kind.ANY:
            at += 1
        elif text.startswith(token.text, at):
            at += len(token.text)
        else:
            return None
    return at if at <= len(text) else None


def _end_of_text(piece: Sequence[_Token], text: str, least: int) -> int | None:
    begin = len(text) - _length(piece)
    return begin if begin >= least and _end_of(piece, text, begin) is not None else None


def _first_place(piece: Sequence[_Token], text: str, least: int) -> int | None:
    """The first place from ``least`` where a piece fits."""
    if len(piece) == 1 and piece[0].kind is _Kind.LITERAL:
        found = text.find(piece[0].text, least)
        return None if found == -1 else found
    places = range(least, len(text) - _length(piece) + 1)
    return next((begin for begin in places if _end_of(piece, text, begin) is not None), None)
