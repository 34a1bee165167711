"""Patterns of a policy: which paths they match, and what their captures hold (docs of ``protos/savesets``). Pure.

A pattern is matched against the key of a path. It is split at ``/``. The part ``**`` stands for any number of parts, as
the last part for at least one. Inside a part ``*`` stands for any run of code points, ``?`` for one, and ``{name}`` for
one or more, which it captures: the leftmost and shortest match counts. Anything else is literal.

Between two gaps (``*`` and ``{name}``, or ``**``) a pattern has a piece of fixed length. A later gap can always take
what an earlier one leaves, so the first place where a piece fits is the right one. The expression that a pattern is
translated to has each piece in an atomic group, so nothing is tried twice: the time for a path is at most the product
of both lengths.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from gameshelf.savegames._paths import fold

MAX_PATTERN = 256
"""The largest number of code points of a pattern."""
MAX_PATTERN_PARTS = 32
MAX_CAPTURES = 8

_CHARACTER = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|\\]')
_TOKEN = re.compile(r"(?P<stars>\*\*+)|(?P<star>\*)|(?P<any>\?)|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<literal>[^*?{}]+)")
T = TypeVar("T")


class InvalidPattern(ValueError):
    """A text is no pattern."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
        """The rule that it breaks."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """``*`` or ``{name}``: a run of at least so many code points."""

    least: int
    name: str | None = None


_Token = str | None | _Gap
"""Of a part: a literal code point, any single one (None), or a gap."""
_Part = tuple[_Token, ...] | None
"""Of a pattern; None is ``**``."""


@dataclass(frozen=True, slots=True)
class PolicyPattern:
    """A pattern of a policy."""

    text: str
    names: frozenset[str]
    """The names of its captures."""
    parts: tuple[_Part, ...] = field(repr=False, compare=False)
    expression: re.Pattern[str] = field(repr=False, compare=False)
    """Matches the key of a path with a slash at its end."""

    def match(self, path: str) -> Mapping[str, str] | None:
        """Returns the captures, as the path spells them, or None if the path does not match."""
        return self.match_key(path, fold(path))

    def match_key(self, path: str, key: str) -> Mapping[str, str] | None:
        """Like ``match``, for a path whose key is known."""
        found = self.expression.match(key + "/")
        if found is None:
            return None
        # Where letters and marks compose, the key is shorter than the path, and the capture is that of the key.
        spelt = path if len(path) == len(key) else key
        return {name: spelt[found.start(name) : found.end(name)] for name in self.names}

    def below(self, folder: str) -> "PolicyPattern":
        """Returns the pattern of the paths in a folder whose rest matches this one."""
        parts = (tuple(fold(folder)), *self.parts)
        return PolicyPattern(f"{folder}/{self.text}", self.names, parts, re.compile(_expression(parts)))


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> PolicyPattern:
    """Parses a pattern. Raises InvalidPattern."""
    _require_form(text)
    parts = tuple(map(_parse_part, text.split("/")))
    if any(one is None and other is None for one, other in pairwise(parts)):
        raise InvalidPattern("pattern_adjacent")
    names = [token.name for part in parts for token in part or () if isinstance(token, _Gap) and token.name]
    if len(names) > MAX_CAPTURES:
        raise InvalidPattern("pattern_too_many_names")
    if len(set(names)) < len(names):
        raise InvalidPattern("pattern_repeated_name")
    return PolicyPattern(text, frozenset(names), parts, re.compile(_expression(parts)))


def _require_form(text: str) -> None:
    if not text:
        raise InvalidPattern("pattern_empty")
    if len(text) > MAX_PATTERN:
        raise InvalidPattern("pattern_too_long")
    if text.startswith("/"):
        raise InvalidPattern("pattern_absolute")
    if _CHARACTER.search(text):
        raise InvalidPattern("pattern_character")
    parts = text.split("/")
    if "" in parts:
        raise InvalidPattern("pattern_part_empty")
    if "." in parts or ".." in parts:
        raise InvalidPattern("pattern_part_dots")
    if len(parts) > MAX_PATTERN_PARTS:
        raise InvalidPattern("pattern_too_many_parts")


def _parse_part(part: str) -> _Part:
    if part == "**":
        return None
    tokens: list[_Token] = []
    at = 0
    while at < len(part):
        token = _TOKEN.match(part, at)
        if token is None:
            raise InvalidPattern("pattern_braces")
        at = token.end()
        if token["stars"]:
            raise InvalidPattern("pattern_stars")
        if token["literal"]:
            tokens += fold(token["literal"])
        elif token["any"]:
            tokens.append(None)
        else:
            tokens.append(_Gap(int(token["name"] is not None), token["name"]))
    if any(isinstance(one, _Gap) and isinstance(other, _Gap) for one, other in pairwise(tokens)):
        raise InvalidPattern("pattern_adjacent")
    return tuple(tokens)


def _expression(parts: Sequence[_Part]) -> str:
    """Matches parts that each end in a slash."""
    pieces = [""]
    for part in parts:
        if part is None:
            pieces.append("")
        else:
            pieces[-1] += _part_expression(part)
    if len(pieces) == 1:
        return rf"{pieces[0]}\Z"
    first, *middle, last = pieces
    found = first + "".join(rf"(?>(?:[^/]*/)*?{piece})" for piece in middle)
    return found + (rf"(?>(?:[^/]*/)*?{last}\Z)" if last else r"(?:[^/]*/)+\Z")


def _part_expression(tokens: Sequence[_Token]) -> str:
    found = ""
    is_open = False
    for token in tokens:
        if isinstance(token, _Gap):
            run = "[^/]+?" if token.least else "[^/]*?"
            run = f"(?P<{token.name}>{run})" if token.name else run
            found += f"{')' if is_open else ''}(?>{run}"
            is_open = True
        else:
            found += "[^/]" if token is None else re.escape(token)
    return f"{found}/)" if is_open else f"{found}/"


def can_meet(one: PolicyPattern, other: PolicyPattern) -> bool:
    """Whether there may be a path that both patterns match."""
    return _meet(_part_steps(one.parts), _part_steps(other.parts), _part_meets)


_Step = tuple[T, bool]
"""What stands at a place of a sequence, and whether it may stand there any number of times."""
_ANY_PART = (_Gap(1),)


def _part_steps(parts: Sequence[_Part]) -> list[_Step[Sequence[_Token]]]:
    steps: list[_Step[Sequence[_Token]]] = [(_ANY_PART if part is None else part, part is None) for part in parts]
    return [*steps, (_ANY_PART, False)] if parts[-1] is None else steps


def _part_meets(one: Sequence[_Token], other: Sequence[_Token]) -> bool:
    return _meet(_token_steps(one), _token_steps(other), _token_meets)


def _token_steps(tokens: Sequence[_Token]) -> list[_Step[str | None]]:
    steps: list[_Step[str | None]] = []
    for token in tokens:
        if isinstance(token, _Gap):
            steps += [(None, True), *[(None, False)] * token.least]
        else:
            steps.append((token, False))
    return steps


def _token_meets(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _meet(ones: Sequence[_Step[T]], others: Sequence[_Step[T]], meets: Callable[[T, T], bool]) -> bool:
    """Whether one text can be walked through both sequences to their ends."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        one, other = waiting.pop()
        if one == len(ones) and other == len(others):
            return True
        for place in _next_places(ones[one : one + 1], others[other : other + 1], one, other, meets):
            if place not in reached:
                reached.add(place)
                waiting.append(place)
    return False


def _next_places(
    step: Sequence[_Step[T]],
    other_step: Sequence[_Step[T]],
    one: int,
    other: int,
    meets: Callable[[T, T], bool],
) -> Iterator[tuple[int, int]]:
    """The places behind a pair of places: a repeated step may be left, and one more thing may be in both."""
    is_repeated = any(repeated for _, repeated in step)
    other_is_repeated = any(repeated for _, repeated in other_step)
    if is_repeated:
        yield one + 1, other
    if other_is_repeated:
        yield one, other + 1
    for (ours, _), (theirs, _) in zip(step, other_step, strict=False):
        if meets(ours, theirs):
            yield (one if is_repeated else one + 1), (other if other_is_repeated else other + 1)
