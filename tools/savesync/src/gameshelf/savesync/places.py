"""Where a policy's places lie on this machine: the placeholders of Windows, Linux, macOS, and of Windows inside Proton.

The placeholders are those of the community's manifest. A game that runs in a Wine or Proton prefix has the places of
Windows, inside of that prefix.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

from gameshelf.savesync.errors import PlaceUnknown, RootUnreadable
from gameshelf.savesync.paths import System, fold

_PLACEHOLDER = re.compile(r"<([A-Za-z]+)>")
BASE = "base"
_NAMES = frozenset({"game", "storeUserId", "storeGameId", "osUserName"})
_FOLDERS = frozenset(
    {
        *("root", BASE, "home", "xdgData", "xdgConfig", "steamCompatData"),
        *(
            "winAppData",
            "winLocalAppData",
            "winLocalAppDataLow",
            "winDocuments",
            "winPublic",
            "winProgramData",
            "winDir",
        ),
    }
)
"""The registry of Windows is no folder, so its placeholders are unknown here."""
_GLOB = re.compile(r"[*?\[]")
_PROFILE = {
    "winAppData": "AppData/Roaming",
    "winLocalAppData": "AppData/Local",
    "winLocalAppDataLow": "AppData/LocalLow",
    "winDocuments": "Documents",
}
"""Below the folder of the user of Windows."""


def check_place(path: str) -> str | None:
    """The rule that a place breaks, or None.

    A place begins with the placeholder of a folder. Unless that is the folder of the game, at least one part behind it
    has a name: a whole home folder is never a save.
    """
    if not path or len(path) > 1024:
        return "place_length"
    if re.search(r"[\x00-\x1f\x7f-\x9f\\]", path):
        return "place_character"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "place_part"
    if "**" in path:
        return "place_stars"
    names = _PLACEHOLDER.findall(path)
    if unknown := next((name for name in names if name not in _NAMES | _FOLDERS), None):
        return f"place_unknown_{unknown}"
    if re.search("[<>]", _PLACEHOLDER.sub("", path)):
        return "place_brackets"
    first = _PLACEHOLDER.fullmatch(parts[0])
    if first is None or first[1] not in _FOLDERS or any(_is_folder(part) for part in parts[1:]):
        return "place_begins_with_a_folder"
    if first[1] == BASE:
        return None
    if len(parts) == 1 or _GLOB.search(parts[1]):
        return "place_too_wide"
    names_nothing = all(not _PLACEHOLDER.sub("", part) for part in parts[1:])
    return "place_too_wide" if names_nothing and parts[:2] != ["<root>", "<game>"] else None


def _is_folder(part: str) -> bool:
    return any(name in _FOLDERS for name in _PLACEHOLDER.findall(part))


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


def resolve(path: str, machine: Machine) -> Path:
    """The folder of a place. Raises PlaceUnknown if it cannot be known, or several folders fit it.

    Parts with globs, and ids that the launcher does not know, stand for the one folder that fits them.
    """
    parts = path.split("/")
    first = _PLACEHOLDER.fullmatch(parts[0])
    if first is None:
        raise PlaceUnknown(path, "it does not begin with a placeholder")
    folder = _folder(first[1], machine, path)
    for part in parts[1:]:
        folder = _below(folder, part, machine, path)
    return folder


def resolve_game(path: str, machine: Machine) -> Path:
    """The folder of a place that belongs to the game alone: that of the game itself, or the first one with a name."""
    parts = path.split("/")
    return resolve(parts[0] if parts[0] == f"<{BASE}>" else "/".join(parts[:2]), machine)


def _below(folder: Path, part: str, machine: Machine, path: str) -> Path:
    names = {
        "game": machine.game,
        "osUserName": _user_of_windows(machine) if machine.prefix else machine.user_name,
        "storeUserId": machine.store_user_id,
        "storeGameId": machine.store_game_id,
    }
    filled = _PLACEHOLDER.sub(lambda found: names[found[1]] or "*", part)
    if not _GLOB.search(filled):
        return folder / (_spelling(folder, filled) if machine.prefix else filled)
    fits = re.compile(translate(filled)).fullmatch
    found = [entry for entry in _entries(folder) if fits(entry.name) and entry.is_dir()]
    if len(found) != 1:
        several = ", ".join(sorted(entry.name for entry in found)[:5])
        raise PlaceUnknown(path, f"several folders fit {part}: {several}" if found else f"no folder fits {part} yet")
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


def _folder(name: str, machine: Machine, path: str) -> Path:
    if name.startswith("win"):
        found = _folder_of_windows(name, machine)
    else:
        found = {
            "root": machine.library,
            BASE: _base(machine),
            "home": _profile(machine) if machine.prefix else machine.home,
            "xdgData": _variable(machine, "XDG_DATA_HOME", ".local/share"),
            "xdgConfig": _variable(machine, "XDG_CONFIG_HOME", ".config"),
            "steamCompatData": _compat_data(machine),
        }[name]
    if found is None:
        raise PlaceUnknown(path, f"<{name}> is not known on this machine")
    return found


def _folder_of_windows(name: str, machine: Machine) -> Path | None:
    if machine.runs_as is not System.WINDOWS:
        return None
    if machine.prefix:
        drive = machine.prefix / "drive_c"
        if name in _PROFILE:
            return _profile(machine) / _PROFILE[name]
        others = {"winPublic": "users/Public", "winProgramData": "ProgramData", "winDir": "windows"}
        return drive / others[name]
    variables = {"winAppData": "APPDATA", "winLocalAppData": "LOCALAPPDATA", "winPublic": "PUBLIC"}
    variables |= {"winProgramData": "PROGRAMDATA", "winDir": "WINDIR"}
    if value := machine.variables.get(variables.get(name, "")):
        return Path(value)
    if name in _PROFILE:
        return machine.home / _PROFILE[name]
    return None


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


def _compat_data(machine: Machine) -> Path | None:
    """Where Steam keeps the prefix of a game."""
    if not machine.library or not machine.store_game_id:
        return None
    return machine.library / "steamapps" / "compatdata" / machine.store_game_id


def _base(machine: Machine) -> Path | None:
    if machine.base or not machine.library or not machine.game:
        return machine.base
    library = machine.library / "steamapps" / "common" if machine.store == "steam" else machine.library
    return library / machine.game
