"""Paths of a save: the rules that the service checks, and the mapping between names on a disk and parts of a path."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_PATH, MAX_PART = 1024, 255
"""In code points."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_ESCAPED_ALWAYS = re.compile(r'[<>:"|?*\\\x01-\x1f\x7f-\x9f]')
_PERCENT_BEFORE_HEX = re.compile(r"%(?=[0-9A-F]{2})")
_ESCAPE = re.compile(r"%([0-9A-F]{2})")
_DEVICES = ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$")
_RESERVED = {*_DEVICES, *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³")}


class System(StrEnum):
    """A family of operating systems, as policies name them."""

    WINDOWS = "windows"
    LINUX = "linux"
    MACOS = "mac"


@dataclass(frozen=True, slots=True)
class PathProblem:
    """A path of a list that the service would refuse."""

    path: str
    rule: str
    other: str | None = None
    """The path that it collides with."""


def fold(path: str) -> str:
    """The key of a path: two paths are one file for a system that ignores case if they have the same key.

    It is the simple case folding of Unicode in NFC, repeated until nothing changes, so ``ẞ`` is ``ß`` and not ``ss``.
    """
    if path.isascii():
        return path.lower()
    return _fold(path)


@lru_cache(maxsize=65_536)
def _fold(path: str) -> str:
    while True:
        folded = unicodedata.normalize("NFC", _simple_fold(unicodedata.normalize("NFC", path)))
        if folded == path:
            return folded
        path = folded


def _simple_fold(text: str) -> str:
    """Each code point by itself, for one code point."""
    whole = text.casefold()
    if len(whole) == len(text):  # no code point became several
        return whole
    return "".join(next(folded for folded in (one.casefold(), one.lower(), one) if len(folded) == 1) for one in text)


def wrong_with(path: str) -> str | None:
    """The first rule that a path in NFC breaks, or None."""
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
    if _is_reserved(part):
        return "path_reserved"
    return "path_end" if part[-1] in ". " else None


def _is_reserved(part: str) -> bool:
    return part.partition(".")[0].rstrip(" ").upper() in _RESERVED


def problems(paths: Sequence[str]) -> list[PathProblem]:
    """What the service would refuse: paths by themselves, two that fold the same, a file that is another's folder."""
    rules = [wrong_with(path) for path in paths]
    found = [PathProblem(path, rule) for path, rule in zip(paths, rules, strict=True) if rule]
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path, rule in zip(paths, rules, strict=True):
        if rule:
            continue
        key = fold(path)
        if key in seen:
            found.append(PathProblem(path, "path_taken", seen[key]))
            continue
        seen[key] = path
        at = key.find("/")
        while at != -1:
            folders.setdefault(key[:at], path)
            at = key.find("/", at + 1)
    return found + [PathProblem(path, "path_is_folder", folders[key]) for key, path in seen.items() if key in folders]


def escape(name: str) -> str:
    """A name that any system may hold as a part of a path in the cloud. ``unescape`` returns the name."""
    part = _PERCENT_BEFORE_HEX.sub("%25", name)
    part = _ESCAPED_ALWAYS.sub(lambda found: f"%{ord(found[0]):02X}", part)
    if part and part[-1] in ". ":
        part = f"{part[:-1]}%{ord(part[-1]):02X}"
    if _is_reserved(part):
        part = f"%{ord(part[0]):02X}{part[1:]}"
    return part


def unescape(part: str) -> str:
    """The name that a part was made from."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), part)


def can_hold(name: str, system: System) -> bool:
    """Whether files of a system can have this name."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        return False
    if system is System.WINDOWS:
        return _wrong_with_part(name) in (None, "path_part_too_long")
    return True


def to_cloud(disk_name: str, system: System) -> str:
    """The path below its root of a file that a system calls so: each part in NFC and escaped."""
    return "/".join(_part_to_cloud(unicodedata.normalize("NFC", name), system) for name in disk_name.split("/"))


def to_disk(path: str, system: System) -> str:
    """The name on the disk of a new file. Parts whose own name the system cannot hold stay escaped."""
    return "/".join(_part_to_disk(part, system) for part in path.split("/"))


def _part_to_cloud(name: str, system: System) -> str:
    return name if _stays_escaped(name, system) else escape(name)


def _part_to_disk(part: str, system: System) -> str:
    name = unescape(part)
    is_ours = name != part and escape(name) == part
    return part if not is_ours or _stays_escaped(part, system) else name


def _stays_escaped(part: str, system: System) -> bool:
    """Whether a disk of this system has the escaped spelling itself.

    So it is where the system cannot hold the name, and where the name looks like such a spelling: otherwise two parts
    would have one name on the disk.
    """
    name = unescape(part)
    if name == part or escape(name) != part:
        return False
    return not can_hold(name, system) or _stays_escaped(name, system)


def two_on_disk(paths: Iterable[str], system: System) -> Iterator[PathProblem]:
    """Paths that would be one file on this system, such as two spellings of an escape."""
    taken: dict[str, str] = {}
    for path in paths:
        name = to_disk(path, system)
        other = taken.setdefault(name if system is System.LINUX else fold(name), path)
        if other != path:
            yield PathProblem(path, "path_taken", other)
