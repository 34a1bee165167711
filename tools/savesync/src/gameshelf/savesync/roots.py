"""Which folder of this machine is which root of a save.

A folder that this device has synchronised before stays the root's folder. If it is missing now, that is an error and
never an empty root: an unmounted disk must not delete the save on every other device.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gameshelf.savesync.errors import PlaceUnknown, PrefixMissing, RootUnreadable
from gameshelf.savesync.files import RootFolders
from gameshelf.savesync.places import Machine, resolve, resolve_game
from gameshelf.savesync.policy import FolderPolicy, PolicyRoot


@dataclass(frozen=True, slots=True)
class FoundRoots:
    """The roots of a policy on this machine."""

    folders: RootFolders
    """Folders that exist, or that a download may make."""
    absent: Mapping[str, str]
    """Why other roots have no folder here. Their files stay in the save as they are."""
    games: RootFolders = field(default_factory=dict)
    """The folder that belongs to the game alone, around the one of each root."""
    moved: tuple[str, ...] = ()
    """Roots that had another folder at the last synchronisation. What the new one holds did not grow from that version,
    as far as this client knows, so it is compared as a save from nothing."""

    def only(self, names: Collection[str]) -> "FoundRoots":
        """Some of them."""
        folders = {name: folder for name, folder in self.folders.items() if name in names}
        games = {name: folder for name, folder in self.games.items() if name in names}
        return FoundRoots(folders, self.absent, games, tuple(name for name in self.moved if name in names))

    @property
    def existing(self) -> RootFolders:
        """Those that can be scanned."""
        return {name: folder for name, folder in self.folders.items() if folder.exists()}


def find_roots(
    policy: FolderPolicy, machine: Machine, synced: RootFolders, chosen: RootFolders | None = None
) -> FoundRoots:
    """Finds the folders of a policy's roots. ``chosen`` are folders that the player or the launcher has named.

    ``synced`` are the folders of the last synchronisation. Raises RootUnreadable if one of them is gone, and nobody has
    named another one: a disk that is not mounted looks like that. Raises PrefixMissing if the game has no prefix yet.
    """
    chosen = {
        name: _as_before(folder, synced.get(name))
        for name, folder in (chosen or {}).items()
        if policy.scope_of(name) != "machine"
    }
    folders: dict[str, Path] = dict(chosen)
    games: dict[str, Path] = dict(folders)
    absent: dict[str, str] = {}
    for name, root in policy.roots.items():
        if name in folders:
            continue
        if root.scope == "machine":
            absent[name] = "it stays on each machine"
            continue
        try:
            folders[name], games[name] = _folder_of(root, machine, synced.get(name))
        except PlaceUnknown as unknown:
            if name in synced:
                raise RootUnreadable(synced[name], f"it was a folder of this save: {unknown}") from unknown
            absent[name] = str(unknown)
    _require_prefix(machine, [folder for name, folder in folders.items() if name not in chosen])
    for name, folder in folders.items():
        if name in synced and not synced[name].exists() and (name not in chosen or not folder.exists()):
            hints = ["this machine had files of the save there: is the disk mounted?"]
            if folder == synced[name]:
                hints.append("an empty folder there gets the files of the cloud")
            else:
                hints.append(f"if the save is in {folder} now: --root {name}={folder}")
            raise RootUnreadable(synced[name], "the folder does not exist", hints)
    moved = tuple(name for name, folder in folders.items() if synced.get(name, folder) != folder)
    return FoundRoots(folders, absent, games, moved)


def _as_before(folder: Path, synced: Path | None) -> Path:
    """The folder by its name of the last time: a home folder behind a link has several."""
    return synced if synced is not None and synced.resolve() == folder.resolve() else folder


def _require_prefix(machine: Machine, folders: Collection[Path]) -> None:
    """Raises PrefixMissing where a download would make the folder of a prefix before Wine does."""
    prefix = machine.prefix
    if prefix and not (prefix / "drive_c").is_dir() and any(one.is_relative_to(prefix) for one in folders):
        raise PrefixMissing(prefix)


def _folder_of(root: PolicyRoot, machine: Machine, synced: Path | None) -> tuple[Path, Path]:
    """The folder of the last time if it still fits, else the first one that exists, else the first one.

    The second one is the folder of the game around it.
    """
    fitting: dict[Path, Path] = {}
    reasons: list[str] = []
    for place in root.where:
        if place.fits(machine.runs_as, machine.store):
            try:
                folder = _as_before(resolve(place.path, machine), synced)
                fitting.setdefault(folder, resolve_game(place.path, machine))
            except PlaceUnknown as unknown:
                reasons.append(str(unknown))
    if not fitting:
        raise PlaceUnknown(root.name, "; ".join(reasons) or f"the policy has no place for {machine.runs_as}")
    if synced is not None and synced in fitting:
        return synced, fitting[synced]
    return next(((folder, game) for folder, game in fitting.items() if folder.is_dir()), next(iter(fitting.items())))
