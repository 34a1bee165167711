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
from gameshelf.savesync.folders import PRIVATE_FOLDERS, SAME_FOLDERS, SHARED_FOLDERS
from gameshelf.savesync.paths import System, fold

BASE = "<base>"
"""The folder of the game: the only placeholder that may stand alone."""
_NAMES = frozenset({"<game>", "<osUserName>", "<storeGameId>", "<storeUserId>"})
_FOLDERS = frozenset({BASE, "<home>", "<root>", "<winDir>", "<winProgramData>", "<winPublic>", *SAME_FOLDERS})
"""The registry of Windows is no folder, so its placeholders are unknown."""
_PLACEHOLDER = re.compile(r"<[^<>/]*>")
_CHARACTER = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|\\]')
_LETTER = re.compile(r"[^\W_]")
_GLOB = re.compile(r"[*?]")
_WORDS = re.compile(r"(<[^<>/]*>)")
_SHORT_NAME = re.compile(r"~\d")
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
    if first not in _FOLDERS:
        return "place_placeholder" if _PLACEHOLDER.fullmatch(first) and first not in _NAMES else "place_start"
    if rule := next(filter(None, map(_wrong_with_part, parts)), None):
        return rule
    first, keys = _canonical(first, parts)
    behind_shared = range(_shared_parts(first, keys), len(keys))
    own = next((at for at in behind_shared if _PLACEHOLDER.sub("", keys[at])), None)
    # A wildcard before the part of the game, or in it, must not fit every name.
    if (own is None and first != BASE) or any(map(_fits_most, keys if own is None else keys[: own + 1])):
        return "place_too_wide"
    # What a name stands for is looked at when it is known.
    globs = [_escape_brackets(key) for key in keys]
    is_private = any(_may_overlap(folder, globs) for folder in PRIVATE_FOLDERS.get(first, ()))
    return "place_private" if is_private else None


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
    # Windows ignores the end, and has a short name for each long one: either is another name of a folder.
    return "place_other_name" if part[-1] in ". " or _SHORT_NAME.search(part) else None


def _canonical(first: str, parts: Sequence[str]) -> tuple[str, list[str]]:
    """The placeholder and the keys of the parts: the same for all spellings of a folder."""
    same = SAME_FOLDERS.get(first)
    keys = [fold(part) for part in parts]
    return ("<home>", [*same.split("/"), *keys]) if same else (first, keys)


def _shared_parts(first: str, keys: Sequence[str]) -> int:
    """How many parts behind the placeholder may be a folder of many programs: a name may be that of any of them."""
    globs = [_escape_brackets(_PLACEHOLDER.sub("*", key)) for key in keys]
    folders = [folder for folder in SHARED_FOLDERS.get(first, ()) if _may_overlap(folder, globs)]
    sizes = [folder.count("/") + 1 for folder in folders]
    return max((size for size in sizes if size <= len(keys)), default=0)


def _may_overlap(folder: str, globs: Sequence[str]) -> bool:
    """Whether one of both may be the other, or inside of it. The time of ``fnmatch`` is bounded."""
    return all(map(fnmatchcase, folder.split("/"), globs))


def _escape_brackets(part: str) -> str:
    """Brackets are no wildcards of a place."""
    return part.replace("[", "[[]")


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
    names = _names_of(machine)
    for name in _PLACEHOLDER.findall("/".join(parts)):
        if not names[name]:
            raise PlaceUnknown(place, f"{name} is not known on this machine")
    filled = [_PLACEHOLDER.sub(lambda found: names[found[0]] or "", part) for part in parts]
    # The name of a game or a user may be that of a folder with secrets.
    if filled != parts and (rule := check_place("/".join([first, *filled]))):
        raise PlaceUnknown(place, f"with the names of this machine it breaks the rule {rule}")
    folder = _folder(first, machine, place)
    for part, text in zip(parts, filled, strict=True):
        folder = _below(folder, part, text, machine, place)
    return folder


def resolve_game(place: str, machine: Machine) -> Path:
    """The folder of a place that is the game's alone: that of the game, or the first one behind shared folders."""
    first, *parts = place.split("/")
    if first == BASE:
        return _folder(first, machine, place)
    canonical, keys = _canonical(first, parts)
    own = max(1, _shared_parts(canonical, keys) + 1 - (len(keys) - len(parts)))
    folder = resolve(place, machine)
    return folder.parents[len(parts) - own - 1] if own < len(parts) else folder


def _names_of(machine: Machine) -> Mapping[str, str | None]:
    return {
        "<game>": machine.game,
        "<osUserName>": _user_of_windows(machine) if machine.prefix else machine.user_name,
        "<storeUserId>": machine.store_user_id,
        "<storeGameId>": machine.store_game_id,
    }


def _below(folder: Path, part: str, text: str, machine: Machine, place: str) -> Path:
    """The folder of a part, whose placeholders the text has replaced."""
    if not _GLOB.search(part):
        return folder / (_spelling(folder, text) if machine.prefix else text)
    names = _names_of(machine)
    words = [escape(names[word] or "") if word in names else _escape_brackets(word) for word in _WORDS.split(part)]
    fits = re.compile(translate("".join(words)), re.IGNORECASE if machine.prefix else 0).fullmatch
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
