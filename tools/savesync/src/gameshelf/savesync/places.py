"""Where a policy's places lie on this machine: the placeholders of Windows, Linux, macOS, and of Windows inside Proton.

The placeholders are those of the community's manifest. A game that runs in a Wine or Proton prefix has the places of
Windows, inside of that prefix.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase, translate
from glob import escape
from pathlib import Path

from gameshelf.savesync.errors import PlaceUnknown, RootUnreadable
from gameshelf.savesync.paths import System, fold

BASE = "<base>"
"""The folder of the game: the only placeholder that may stand alone."""
_NAMES = frozenset({"<game>", "<osUserName>", "<storeGameId>", "<storeUserId>"})
# Folders behind a placeholder that many programs share. None of them is a place of one game.
SHARED_FOLDERS: Mapping[str, frozenset[str]] = {
    BASE: frozenset(),
    "<home>": frozenset(
        {
            *(".cache", ".config", ".local", ".local/share", ".local/state", ".steam", ".steam/steam", ".var"),
            *(".var/app", ".wine", ".wine/drive_c", "appdata", "appdata/local", "appdata/locallow"),
            *("appdata/roaming", "desktop", "documents", "documents/my games", "downloads", "library"),
            *("library/application support", "library/caches", "library/containers", "library/preferences", "music"),
            *("my games", "onedrive", "onedrive/documents", "onedrive/documents/my games", "pictures", "public"),
            *("saved games", "snap", "videos"),
        }
    ),
    "<root>": frozenset({"common", "steamapps", "steamapps/common", "steamapps/compatdata", "userdata"}),
    "<winAppData>": frozenset({"microsoft", "microsoft/windows"}),
    "<winDir>": frozenset({"system32", "syswow64"}),
    "<winDocuments>": frozenset({"my games", "saved games"}),
    "<winLocalAppData>": frozenset(
        {"microsoft", "microsoft/windows", "packages", "programs", "temp", "virtualstore"},
    ),
    "<winLocalAppDataLow>": frozenset({"microsoft", "temp"}),
    "<winProgramData>": frozenset({"microsoft", "microsoft/windows", "packages"}),
    "<winPublic>": frozenset({"desktop", "documents", "documents/my games", "downloads"}),
    "<xdgConfig>": frozenset({"unity3d"}),
    "<xdgData>": frozenset({"flatpak", "steam", "steam/steamapps", "unity3d"}),
}
"""The placeholders of folders. The registry of Windows is no folder, so its placeholders are unknown."""
_PLACEHOLDER = re.compile(r"<[^<>/]*>")
_CHARACTER = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|\\]')
_LETTER = re.compile(r"[^\W_]")
_GLOB = re.compile(r"[*?]")
_WORDS = re.compile(r"([*?]|<[^<>/]*>)")
_MAX_PLACE, _MIN_LETTERS = 512, 3
_PROFILE = {
    "<winAppData>": "AppData/Roaming",
    "<winLocalAppData>": "AppData/Local",
    "<winLocalAppDataLow>": "AppData/LocalLow",
    "<winDocuments>": "Documents",
}
"""Below the folder of the user of Windows."""


def check_place(place: str) -> str | None:
    """The rule that a place breaks, or None if it belongs to one game: what it reaches is uploaded and deleted."""
    if len(place) > _MAX_PLACE:
        return "place_too_long"
    first, *parts = place.split("/")
    if first not in SHARED_FOLDERS:
        return "place_placeholder" if _PLACEHOLDER.fullmatch(first) and first not in _NAMES else "place_start"
    if rule := next(filter(None, map(_wrong_with_part, parts)), None):
        return rule
    behind_shared = range(_shared_parts(first, parts), len(parts))
    own = next((at for at in behind_shared if _PLACEHOLDER.sub("", parts[at])), None)
    if own is None and first != BASE:
        return "place_too_wide"
    # A wildcard before the part of the game, or in it, must not fit every name.
    return "place_too_wide" if any(map(_fits_most, parts if own is None else parts[: own + 1])) else None


def _fits_most(part: str) -> bool:
    text = _PLACEHOLDER.sub("", part)
    return _GLOB.search(text) is not None and len(_LETTER.findall(text)) < _MIN_LETTERS


def _wrong_with_part(part: str) -> str | None:
    if not part:
        return "place_part_empty"
    if part in (".", "..") or part.startswith("~"):
        return "place_part_dots"
    if any(name not in _NAMES for name in _PLACEHOLDER.findall(part)):
        return "place_placeholder"
    if _CHARACTER.search(_PLACEHOLDER.sub("", part)):
        return "place_character"
    return "place_part_end" if part[-1] in ". " else None


def _shared_parts(first: str, parts: Sequence[str]) -> int:
    """How many parts behind the placeholder may be a folder of many programs: a name may be that of any of them."""
    globs = [_glob(fold(part), {}) for part in parts]
    found = 0
    for folder in SHARED_FOLDERS[first]:
        names = folder.split("/")
        if len(names) <= len(globs) and all(map(fnmatchcase, names, globs)):
            found = max(found, len(names))
    return found


def _glob(part: str, names: Mapping[str, str]) -> str:
    """The part for ``fnmatch``, whose time is bounded. Placeholders without a name are wildcards."""
    words = [word if word in ("*", "?") else escape(word) for word in _WORDS.split(part)]
    return "".join(escape(names[word]) if word in names else "*" if word.startswith("<") else word for word in words)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a launcher knows of this machine and of how the game runs on it."""

    system: System
    home: Path
    user_name: str
    store: str | None = None
    """``steam``, ``gog``, ``epic`` …"""
    store_user_id: str | None = None
    store_game_id: str | None = None
    library: Path | None = None
    """The folder of the store's library, ``<root>``."""
    game: str | None = None
    """The name of the game's folder in the library."""
    base: Path | None = None
    """The folder of the game."""
    prefix: Path | None = None
    """The Wine prefix that a game for Windows runs in: the folder that has ``drive_c``."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment."""

    @property
    def runs_as(self) -> System:
        """The system that the game sees."""
        return System.WINDOWS if self.prefix else self.system


def resolve(place: str, machine: Machine) -> Path:
    """The folder of a place; a part with a wildcard is the one folder that fits it. Raises PlaceUnknown."""
    first, *parts = place.split("/")
    folder = _folder(first, machine, place)
    for part in parts:
        folder = _below(folder, part, machine, place)
    return folder


def resolve_game(place: str, machine: Machine) -> Path:
    """The folder of a place that is the game's alone: that of the game, or the first one behind shared folders."""
    first, *parts = place.split("/")
    own = 0 if first == BASE else _shared_parts(first, parts) + 1
    return resolve("/".join([first, *parts[:own]]), machine)


def _below(folder: Path, part: str, machine: Machine, place: str) -> Path:
    names = {
        "<game>": machine.game,
        "<osUserName>": _user_of_windows(machine) if machine.prefix else machine.user_name,
        "<storeUserId>": machine.store_user_id,
        "<storeGameId>": machine.store_game_id,
    }
    for name in _PLACEHOLDER.findall(part):
        if not names[name]:
            raise PlaceUnknown(place, f"{name} is not known on this machine")
    if not _GLOB.search(part):
        filled = _PLACEHOLDER.sub(lambda found: names[found[0]] or "", part)
        return folder / (_spelling(folder, filled) if machine.prefix else filled)
    glob = translate(_glob(part, {name: value or "" for name, value in names.items()}))
    fits = re.compile(glob, re.IGNORECASE if machine.prefix else 0).fullmatch
    found = [entry for entry in _entries(folder) if fits(entry.name) and entry.is_dir()]
    if len(found) != 1:
        several = ", ".join(sorted(entry.name for entry in found)[:5])
        raise PlaceUnknown(place, f"several folders fit {part}: {several}" if found else f"no folder fits {part} yet")
    return found[0]


def _spelling(folder: Path, name: str) -> str:
    """How the disk spells a name: Wine does not distinguish case, the disk that it writes to does."""
    if (folder / name).exists():
        return name
    found = [entry.name for entry in _entries(folder) if fold(entry.name) == fold(name)]
    return found[0] if len(found) == 1 else name


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RootUnreadable(folder, error.strerror or str(error)) from error


def _folder(name: str, machine: Machine, place: str) -> Path:
    if name.startswith("<win"):
        found = _folder_of_windows(name, machine)
    else:
        found = {
            "<root>": machine.library,
            BASE: _base(machine),
            "<home>": _profile(machine) if machine.prefix else machine.home,
            "<xdgData>": _variable(machine, "XDG_DATA_HOME", ".local/share"),
            "<xdgConfig>": _variable(machine, "XDG_CONFIG_HOME", ".config"),
        }[name]
    if found is None:
        raise PlaceUnknown(place, f"{name} is not known on this machine")
    return found


def _folder_of_windows(name: str, machine: Machine) -> Path | None:
    if machine.runs_as is not System.WINDOWS:
        return None
    if machine.prefix:
        drive = machine.prefix / "drive_c"
        if name in _PROFILE:
            return _profile(machine) / _PROFILE[name]
        others = {"<winPublic>": "users/Public", "<winProgramData>": "ProgramData", "<winDir>": "windows"}
        return drive / others[name]
    variables = {"<winAppData>": "APPDATA", "<winLocalAppData>": "LOCALAPPDATA", "<winPublic>": "PUBLIC"}
    variables |= {"<winProgramData>": "PROGRAMDATA", "<winDir>": "WINDIR"}
    if value := machine.variables.get(variables.get(name, "")):
        return Path(value)
    return machine.home / _PROFILE[name] if name in _PROFILE else None


def _profile(machine: Machine) -> Path:
    """The folder of the user inside a prefix."""
    assert machine.prefix is not None
    return machine.prefix / "drive_c" / "users" / _user_of_windows(machine)


def _user_of_windows(machine: Machine) -> str:
    """Proton calls every user so; Wine uses the name of the user."""
    users = machine.prefix / "drive_c" / "users" if machine.prefix else None
    return "steamuser" if users and (users / "steamuser").is_dir() else machine.user_name


def _variable(machine: Machine, name: str, default: str) -> Path | None:
    if machine.system is not System.LINUX or machine.prefix:
        return None
    value = machine.variables.get(name, "")
    # A relative path is to be ignored, as the specification of these variables says.
    return Path(value) if value.startswith("/") else machine.home / default


def _base(machine: Machine) -> Path | None:
    if machine.base or not machine.library or not machine.game:
        return machine.base
    library = machine.library / "steamapps" / "common" if machine.store == "steam" else machine.library
    return library / machine.game
