"""Patterns of a policy: which paths they match, and what their captures hold.

A pattern is split at ``/``. The part ``**`` is any number of parts, as the last part at least one; within a part ``*``
is any run of code points, ``?`` is one, and ``{name}`` captures one or more, as few as fit. Everything else is literal
and compares by its fold. No input makes matching slow: dead ends are remembered, so the time is bounded by the product
of both lengths.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from gameshelf.savesync.paths import fold, fold_code_points

MAX_PATTERN, MAX_CAPTURES = 256, 8
_TOKEN = re.compile(r"(?P<stars>\*\*+)|(?P<star>\*)|(?P<any>\?)|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<literal>[^*?{}]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


class PatternRefused(ValueError):
    """A text that is no pattern, with the rule that it breaks."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text!r}")
        self.rule, self.text = rule, text


class _Kind(Enum):
    LITERAL, STAR, ANY, CAPTURE = range(4)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str = ""
    """The fold of a literal, or the name of a capture."""


_Part = tuple[_Token, ...] | None
"""Of a pattern; None is ``**``."""


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

    def match(self, path: str) -> Mapping[str, str] | None:
        """The captures, as the path spells them; None if the path does not match."""
        return _match_parts(self.parts, path.split("/"))

    def reaches(self, folder: str) -> bool:
        """Whether a path below this folder may match."""
        return _reaches(self.parts, folder.split("/"))

    def matches(self, path: str) -> bool:
        """Whether the path matches."""
        return self.match(path) is not None


def _wrong_with(text: str) -> str | None:
    if not text:
        return "pattern_empty"
    if len(text) > MAX_PATTERN:
        return "pattern_too_long"
    if _CONTROL.search(text):
        return "pattern_character"
    if text.startswith("/"):
        return "pattern_absolute"
    parts = text.split("/")
    if "" in parts:
        return "pattern_part_empty"
    return "pattern_part_dots" if "." in parts or ".." in parts else None


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
    runs = (_Kind.STAR, _Kind.CAPTURE)
    if any(one.kind in runs and other.kind in runs for one, other in pairwise(tokens)):
        raise PatternRefused("pattern_adjacent", text)
    return tuple(tokens)


def _token(found: re.Match[str]) -> _Token:
    if found["literal"]:
        return _Token(_Kind.LITERAL, fold(found["literal"]))
    if found["name"]:
        return _Token(_Kind.CAPTURE, found["name"])
    return _Token(_Kind.STAR if found["star"] else _Kind.ANY)


def _match_parts(pattern: Sequence[_Part], path: Sequence[str]) -> Mapping[str, str] | None:
    """Whether a part matches does not depend on what the others have captured, so each pair is tried once."""
    dead: set[tuple[int, int]] = set()

    def search(i: int, j: int) -> dict[str, str] | None:
        if (i, j) in dead:
            return None
        found = _attempt(i, j)
        if found is None:
            dead.add((i, j))
        return found

    def _attempt(i: int, j: int) -> dict[str, str] | None:
        if i == len(pattern):
            return {} if j == len(path) else None
        part = pattern[i]
        if part is None:
            least = j + 1 if i + 1 == len(pattern) else j
            return next((found for k in range(least, len(path) + 1) if (found := search(i + 1, k)) is not None), None)
        captures = _match_part(part, path[j]) if j < len(path) else None
        rest = search(i + 1, j + 1) if captures is not None else None
        return None if captures is None or rest is None else captures | rest

    return search(0, 0)


def _reaches(pattern: Sequence[_Part], folder: Sequence[str]) -> bool:
    for at, name in enumerate(folder):
        if at == len(pattern):
            return False
        part = pattern[at]
        if part is None:
            return True
        if _match_part(part, name) is None:
            return False
    return len(folder) < len(pattern)


def _match_part(tokens: Sequence[_Token], text: str) -> dict[str, str] | None:
    """The captures of the leftmost and shortest match."""
    folded = _fold_of_part(text)
    dead: set[tuple[int, int]] = set()

    def search(t: int, at: int) -> dict[str, str] | None:
        if t == len(tokens):
            return {} if at == len(text) else None
        if (t, at) in dead:
            return None
        token = tokens[t]
        for end in _ends(tokens, t, text, folded, at):
            found = search(t + 1, end)
            if found is not None:
                return {token.text: text[at:end], **found} if token.kind is _Kind.CAPTURE else found
        dead.add((t, at))
        return None

    return search(0, 0)


@lru_cache(maxsize=16_384)
def _fold_of_part(text: str) -> str | None:
    """The fold, if it has a code point for each of the text: then the fold of a slice is that slice of the fold."""
    folded = fold_code_points(text)
    return folded if fold(text) == folded else None


def _ends(tokens: Sequence[_Token], t: int, text: str, folded: str | None, at: int) -> Iterator[int]:
    """Where a token can end that begins at a position, the shortest first."""
    token = tokens[t]
    if token.kind is _Kind.ANY:
        if at < len(text):
            yield at + 1
    elif token.kind is not _Kind.LITERAL:
        yield from _ends_of_run(tokens, t, text, folded, at + (token.kind is _Kind.CAPTURE))
    elif folded is None:
        yield from _ends_of_literal(token.text, text, at)
    elif folded.startswith(token.text, at):
        yield at + len(token.text)


def _ends_of_run(tokens: Sequence[_Token], t: int, text: str, folded: str | None, least: int) -> Iterator[int]:
    """Only where what follows can begin: behind the last token nothing may be left, a literal has to be there."""
    if t + 1 == len(tokens):
        if least <= len(text):
            yield len(text)
        return
    following = tokens[t + 1]
    if folded is None or following.kind is not _Kind.LITERAL:
        yield from range(least, len(text) + 1)
        return
    end = folded.find(following.text, least)
    while end != -1:
        yield end
        end = folded.find(following.text, end + 1)


def _ends_of_literal(literal: str, text: str, at: int) -> Iterator[int]:
    """Letters whose fold composes with a mark behind them have fewer code points than the text."""
    folds = [fold(text[at:end]) for end in range(at, len(text) + 1)]
    for size, folded in enumerate(folds):
        is_last = size + 1 == len(folds) or folds[size + 1] != literal
        if folded == literal and is_last:
            yield at + size
