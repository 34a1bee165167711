"""Patterns of a policy: which paths they match, and what their captures hold.

A pattern is matched against the fold of a path, part by part. The part ``**`` is any number of parts, as the last part
at least one; within a part ``*`` is any run of code points, ``?`` is one, and ``{name}`` captures one or more, as few
as fit. Everything else is literal. No input makes matching slow: dead ends are remembered, so the time is bounded by
the product of both lengths.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate, pairwise

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


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str = ""
    """The fold of a literal, or the name of a capture."""


_Part = tuple[_Token, ...] | None
"""Of a pattern; None is ``**``."""
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


def _match_parts(pattern: Sequence[_Part], key: Sequence[str]) -> _Places | None:
    """Whether a part matches does not depend on what the others have captured, so each pair is tried once."""
    begins = [0, *accumulate(len(part) + 1 for part in key)]
    dead: set[tuple[int, int]] = set()

    def search(i: int, j: int) -> _Places | None:
        if (i, j) in dead:
            return None
        found = attempt(i, j)
        if found is None:
            dead.add((i, j))
        return found

    def attempt(i: int, j: int) -> _Places | None:
        if i == len(pattern):
            return {} if j == len(key) else None
        part = pattern[i]
        if part is None:
            if i + 1 == len(pattern):
                return {} if j < len(key) else None
            return next((found for k in range(j, len(key) + 1) if (found := search(i + 1, k)) is not None), None)
        here = _match_part(part, key[j]) if j < len(key) else None
        rest = search(i + 1, j + 1) if here is not None else None
        if here is None or rest is None:
            return None
        return rest if not here else {name: (begins[j] + a, begins[j] + b) for name, (a, b) in here.items()} | rest

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


def _match_part(tokens: Sequence[_Token], text: str) -> _Places | None:
    """Where the captures of the leftmost and shortest match are."""
    dead: set[tuple[int, int]] = set()

    def search(t: int, at: int) -> _Places | None:
        if t == len(tokens):
            return {} if at == len(text) else None
        if (t, at) in dead:
            return None
        token = tokens[t]
        for end in _ends(tokens, t, text, at):
            found = search(t + 1, end)
            if found is not None:
                return {token.text: (at, end), **found} if token.kind is _Kind.CAPTURE else found
        dead.add((t, at))
        return None

    return search(0, 0)


def _ends(tokens: Sequence[_Token], t: int, text: str, at: int) -> Iterator[int]:
    """Where a token can end that begins at a position, the shortest first."""
    token = tokens[t]
    if token.kind is _Kind.LITERAL:
        if text.startswith(token.text, at):
            yield at + len(token.text)
    elif token.kind is _Kind.ANY:
        if at < len(text):
            yield at + 1
    else:
        yield from _ends_of_gap(tokens, t, text, at + (token.kind is _Kind.CAPTURE))


def _ends_of_gap(tokens: Sequence[_Token], t: int, text: str, least: int) -> Iterator[int]:
    """Only where what follows can begin: behind the last token nothing may be left, a literal has to be there."""
    if t + 1 == len(tokens):
        if least <= len(text):
            yield len(text)
        return
    following = tokens[t + 1]
    if following.kind is not _Kind.LITERAL:
        yield from range(least, len(text) + 1)
        return
    end = text.find(following.text, least)
    while end != -1:
        yield end
        end = text.find(following.text, end + 1)
