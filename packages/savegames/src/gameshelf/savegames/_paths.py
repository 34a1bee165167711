"""The paths of files in a set: which are allowed, and which are the same for a system that ignores case (contract,
section 3.6). Pure.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

from gameshelf.kernel.errors import Problem, echo
from gameshelf.kernel.text import in_canonical_order

MAX_PATH = 1024
"""The largest number of code points of a path."""
MAX_PART = 255
"""The largest number of code points of a part of a path."""
MAX_PROBLEMS = 100
"""At most so many problems of a list are reported."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_DEVICES = frozenset(f"{name}{digit}" for name in ("COM", "LPT") for digit in "0123456789¹²³")
_RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | _DEVICES
# A bound of the cache below. Paths contain few different characters.
_MOST_REMEMBERED = 4096


class _SimpleFolding(dict[int, str]):
    """Unicode's simple case folding: each code point has one. The first ones are cached."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = character.casefold()
        if len(folded) > 1:  # "ß" and "ss" are different names, "ẞ" and "ß" are not
            folded = character.lower()
        if len(folded) > 1:
            folded = character
        if len(self) < _MOST_REMEMBERED:
            self[code] = folded
        return folded


_FOLDING = _SimpleFolding()


def fold(path: str) -> str:
    """Returns the key of a path: two paths are the same for a system that ignores case if they have the same key.

    Simple case folding and NFC, repeated until nothing changes. The key has as many parts as the path, and it is its
    own key.
    """
    if path.isascii():
        return path.lower()
    while (folded := _folded(path)) != path:  # a folded letter may compose with the mark behind it
        path = folded
    return folded


def _folded(path: str) -> str:
    folded = unicodedata.normalize("NFC", in_canonical_order(path)).translate(_FOLDING)
    return unicodedata.normalize("NFC", in_canonical_order(folded))


def wrong_with(path: str) -> str | None:
    """Returns the rule that a path in NFC breaks, or None: a file with this path can exist on any system."""
    if not path:
        return "path_empty"
    if len(path) > MAX_PATH:
        return "path_too_long"
    if path.startswith("/"):
        return "path_absolute"
    return next(filter(None, map(_wrong_with_part, path.split("/"))), None)


def _wrong_with_part(part: str) -> str | None:
    if not part:
        return "path_part_empty"
    if part in (".", ".."):
        return "path_part_dots"
    if len(part) > MAX_PART:
        return "path_part_too_long"
    if _CONTROL.search(part):
        return "path_control"
    if _FORBIDDEN.search(part):
        return "path_character"
    if part.partition(".")[0].rstrip(" ").upper() in _RESERVED:
        return "path_reserved"
    return "path_end" if part[-1] in ". " else None


def problems(paths: Sequence[str], pointer: Callable[[int], str], most: int = MAX_PROBLEMS) -> list[Problem]:
    """Returns the first problems of a list of paths in NFC: of each path, and of pairs that cannot exist beside each
    other.

    ``pointer`` returns the place of the path with this index. A pair is reported at one of its paths; ``other`` is the
    place of the other one, and ``path`` its beginning.
    """
    found = []
    indices: dict[str, int] = {}
    pairs: list[tuple[str, int, int]] = []
    for index, path in enumerate(paths):
        rule = wrong_with(path)
        if rule:
            found.append(Problem(rule, pointer=pointer(index)))
        elif (other := indices.setdefault(fold(path), index)) != index:
            pairs.append(("path_taken", index, other))
    pairs += [("path_is_folder", index, other) for index, other in _folders(indices)]
    for rule, index, other in pairs:
        params = {"other": pointer(other), "path": echo(paths[other])}
        found.append(Problem(rule, pointer=pointer(index), params=params))
    return found[:most]


def _folders(indices: dict[str, int]) -> list[tuple[int, int]]:
    """Returns the paths that are a folder of others, each with the first of those.

    Sorted with the slash as the lowest character, a folder stands directly before all that it contains.
    """
    first: dict[str, int] = {}
    above: list[str] = []
    for key in sorted(indices, key=_slash_first):
        while above and not key.startswith(above[-1] + "/"):
            _close(above, first)
        if above:
            first[above[-1]] = min(first.get(above[-1], indices[key]), indices[key])
        above.append(key)
    while above:
        _close(above, first)
    return sorted((indices[key], other) for key, other in first.items())


def _close(above: list[str], first: dict[str, int]) -> None:
    """Leaves a folder: what it contains is also in the folder above it."""
    key = above.pop()
    if above and key in first:
        first[above[-1]] = min(first[above[-1]], first[key])


def _slash_first(key: str) -> str:
    return key.replace("/", "\0")
