"""Places of a root: where on a device a game keeps its files (docs of ``protos/savesets``). Pure.

The vocabulary is that of the community's manifest. A place that would reach the files of other programs is refused: a
policy comes from a catalog, and a client uploads, writes and deletes by it.
"""

import re
from fnmatch import fnmatchcase
from typing import NoReturn

from gameshelf.savegames._paths import fold

MAX_PLACE = 512
"""The largest number of code points of a place."""

GAME_FOLDER = "<base>"
"""The folder that the game is installed to: the only one that may be a place by itself."""
NAME_PLACEHOLDERS = frozenset({"<game>", "<osUserName>", "<storeGameId>", "<storeUserId>"})
"""Placeholders of names."""
SAME_FOLDERS = {
    "<winAppData>": "appdata/roaming",
    "<winDocuments>": "documents",
    "<winLocalAppData>": "appdata/local",
    "<winLocalAppDataLow>": "appdata/locallow",
    "<xdgConfig>": ".config",
    "<xdgData>": ".local/share",
}
"""What other placeholders stand for below ``<home>``."""
FOLDER_PLACEHOLDERS = frozenset(
    {GAME_FOLDER, "<home>", "<root>", "<winDir>", "<winProgramData>", "<winPublic>", *SAME_FOLDERS}
)
"""Placeholders of folders. A place begins with one."""

SHARED_FOLDERS: dict[str, tuple[str, ...]] = {
    "<home>": (
        ".cache",
        ".config",
        ".config/unity3d",
        ".local",
        ".local/share",
        ".local/share/flatpak",
        ".local/share/steam",
        ".local/share/steam/steamapps",
        ".local/share/unity3d",
        ".local/state",
        ".steam",
        ".steam/steam",
        ".var",
        ".var/app",
        ".wine",
        ".wine/drive_c",
        "appdata",
        "appdata/local",
        "appdata/local/microsoft",
        "appdata/local/microsoft/windows",
        "appdata/local/packages",
        "appdata/local/programs",
        "appdata/local/temp",
        "appdata/local/virtualstore",
        "appdata/locallow",
        "appdata/locallow/microsoft",
        "appdata/locallow/temp",
        "appdata/roaming",
        "appdata/roaming/microsoft",
        "appdata/roaming/microsoft/windows",
        "desktop",
        "documents",
        "documents/my games",
        "documents/saved games",
        "downloads",
        "library",
        "library/application support",
        "library/caches",
        "library/containers",
        "library/group containers",
        "library/preferences",
        "music",
        "my games",
        "onedrive",
        "onedrive/documents",
        "onedrive/documents/my games",
        "pictures",
        "public",
        "saved games",
        "snap",
        "videos",
    ),
    "<root>": ("common", "steamapps", "steamapps/common", "steamapps/compatdata", "userdata"),
    "<winProgramData>": ("microsoft", "microsoft/windows", "packages"),
    "<winPublic>": ("desktop", "documents", "documents/my games", "downloads"),
}
"""Folders of many programs, as keys of paths, by the placeholder before them."""
PRIVATE_FOLDERS: dict[str, tuple[str, ...]] = {
    "<home>": (
        ".aws",
        ".azure",
        ".config/autostart",
        ".config/chromium",
        ".config/gcloud",
        ".config/gh",
        ".config/google-chrome",
        ".config/systemd",
        ".docker",
        ".gnupg",
        ".kube",
        ".local/share/applications",
        ".local/share/keyrings",
        ".mozilla",
        ".password-store",
        ".pki",
        ".ssh",
        ".thunderbird",
        "appdata/local/google/chrome",
        "appdata/local/microsoft/credentials",
        "appdata/local/microsoft/edge",
        "appdata/local/microsoft/vault",
        "appdata/local/mozilla",
        "appdata/roaming/gnupg",
        "appdata/roaming/microsoft/credentials",
        "appdata/roaming/microsoft/crypto",
        "appdata/roaming/microsoft/protect",
        "appdata/roaming/microsoft/windows/start menu",
        "appdata/roaming/mozilla",
        "appdata/roaming/thunderbird",
        "library/application support/firefox",
        "library/application support/google/chrome",
        "library/cookies",
        "library/keychains",
        "library/launchagents",
        "library/mail",
        "library/messages",
        "library/safari",
    ),
    "<winDir>": ("system32", "syswow64"),
    "<winProgramData>": ("microsoft/crypto", "microsoft/windows/start menu"),
}
"""Folders with secrets, or with programs that start by themselves. No place may be one, inside of one or around one."""

_CHARACTER = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|\\]')
_PLACEHOLDER = re.compile(r"<[^<>/]*>")
_WILDCARD = re.compile(r"[*?]")
_SHORT_NAME = re.compile(r"~\d")
_LETTER = re.compile(r"[^\W_]")
_MIN_LETTERS = 3
"""A part with a wildcard has so many letters or digits, if it is to be the game's."""


class InvalidPlace(ValueError):
    """A text is no place, or a place that other programs use too."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
        """The rule that it breaks."""


def require_narrow(place: str) -> None:
    """Requires that a place is inside of a folder that belongs to one game. Raises InvalidPlace."""
    first, *parts = place.split("/")
    if first not in FOLDER_PLACEHOLDERS:
        is_unknown = _PLACEHOLDER.fullmatch(first) and first not in NAME_PLACEHOLDERS
        _refuse("place_placeholder" if is_unknown else "place_start")
    for part in parts:
        _require_part(part)
    first, *below = canonical_place(place)
    # The first part that is neither shared nor a placeholder of a name has to be the game's.
    after_shared = range(_shared_parts(first, below), len(below))
    own = next((index for index in after_shared if _PLACEHOLDER.sub("", below[index])), None)
    if own is None and first != GAME_FOLDER:
        _refuse("place_too_wide")
    if any(map(_is_wide, below if own is None else below[: own + 1])):
        _refuse("place_too_wide")
    # A client replaces placeholders by names of games and users, and checks the place again.
    if any(_may_overlap(below, folder) for folder in PRIVATE_FOLDERS.get(first, ())):
        _refuse("place_private")


def _shared_parts(first: str, below: list[str]) -> int:
    """The number of parts that may be a folder of many programs."""
    any_name = [_PLACEHOLDER.sub("*", part) for part in below]
    folders = [folder for folder in SHARED_FOLDERS.get(first, ()) if _may_overlap(any_name, folder)]
    sizes = [folder.count("/") + 1 for folder in folders]
    return max((size for size in sizes if size <= len(below)), default=0)


def canonical_place(place: str) -> list[str]:
    """Returns a placeholder and the keys of the parts behind it. Places of one folder have the same ones."""
    first, *parts = place.split("/")
    below = [fold(part) for part in parts]
    same = SAME_FOLDERS.get(first)
    return ["<home>", *same.split("/"), *below] if same else [first, *below]


def _require_part(part: str) -> None:
    if not part:
        _refuse("place_part_empty")
    if part in (".", "..") or part.startswith("~"):
        _refuse("place_part_dots")
    if any(one not in NAME_PLACEHOLDERS for one in _PLACEHOLDER.findall(part)):
        _refuse("place_placeholder")
    if _CHARACTER.search(_PLACEHOLDER.sub("", part)):
        _refuse("place_character")
    # Windows ignores the end, and has a short name for each long one: either would be another name of a folder.
    if part[-1] in ". " or _SHORT_NAME.search(part):
        _refuse("place_other_name")


def _may_overlap(parts: list[str], folder: str) -> bool:
    """Whether one of both may be the other, or inside of it."""
    patterns = [part.replace("[", "[[]") for part in parts]
    return all(map(fnmatchcase, folder.split("/"), patterns))


def _is_wide(part: str) -> bool:
    """Whether a part fits most names."""
    text = _PLACEHOLDER.sub("", part)
    return _WILDCARD.search(text) is not None and len(_LETTER.findall(text)) < _MIN_LETTERS


def _refuse(rule: str) -> NoReturn:
    raise InvalidPlace(rule)
