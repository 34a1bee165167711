"""The content of a save on this machine, and the version that an upload makes of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gameshelf.savesync.cache import HashCache, Stamp
from gameshelf.savesync.canonical import HasIdentity, content_identity
from gameshelf.savesync.errors import UnsuitablePaths
from gameshelf.savesync.files import CloudFile, CloudFiles, LocalFile, LocalFiles, RootFolders, SyncedSlot
from gameshelf.savesync.paths import System, problems
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.roots import FoundRoots
from gameshelf.savesync.scan import RootToScan, look, scan
from gameshelf.savesync.snapshot import Snapshot, SnapshotSource
from gameshelf.savesync.upload import hash_parts
from gameshelf.savesync.wire import NewVersion, SlotOnDevice

SaveLook = Mapping[str, Mapping[str, Stamp]]
"""Sizes and times of files, by root and disk name."""


@dataclass(frozen=True, slots=True)
class SaveContent:
    """The files of a save at one moment."""

    files: LocalFiles
    folders: RootFolders
    """Of the roots that were scanned, and of those that a download would make."""
    elsewhere: CloudFiles
    """Files of the last version that no folder of this machine has: they stay in the next version."""
    stamps: Mapping[str, Stamp]
    """By path."""
    look: SaveLook
    """What ``look_at_save`` returned at that moment: equal to a settled look, or the game has written in between."""
    links: tuple[Path, ...] = ()
    """Links that were not followed."""
    specials: tuple[Path, ...] = ()
    """Pipes, sockets and devices."""
    emptied: tuple[str, ...] = ()
    """Roots that had files at the last synchronisation, and have none now: a player who deletes all saves looks like a
    disk that is not mounted, so a caller asks before it uploads that."""
    arriving: tuple[str, ...] = ()
    """Roots that have a folder since the last synchronisation. Their files have to be downloaded before they are
    scanned: a game that was just installed must not delete them."""
    moved: tuple[str, ...] = ()
    """Roots that have another folder since the last synchronisation: the files did not grow from that version."""

    @property
    def identity(self) -> str | None:
        """What a plan compares; None if there is no file."""
        files: Mapping[str, HasIdentity] = {**self.files, **self.elsewhere}
        return content_identity(files) if files else None


def look_at_save(policy: FolderPolicy, roots: FoundRoots, base: SyncedSlot | None, system: System) -> SaveLook:
    """Names, sizes and times of a save, to be compared with those of another moment."""
    return {root.name: look(root, system).stamps for root in _to_scan(policy, roots, base)}


def scan_save(
    policy: FolderPolicy,
    roots: FoundRoots,
    base: SyncedSlot | None,
    system: System,
    cache: HashCache | None = None,
) -> SaveContent:
    """Scans all roots that exist. Raises RootUnreadable, SaveChanged, UnsuitablePaths or TooManyFiles."""
    files: dict[str, LocalFile] = {}
    stamps: dict[str, Stamp] = {}
    links: list[Path] = []
    specials: list[Path] = []
    taken: set[Path] = set()
    seen: dict[str, Mapping[str, Stamp]] = {}
    for root in _to_scan(policy, roots, base):
        scanned = scan(root, system, cache)
        content = scanned.content
        seen[root.name] = content.stamps
        links += [root.folder / name for name in content.links]
        specials += [root.folder / name for name in content.specials]
        real = root.folder.resolve()
        for path, file in scanned.files.items():
            if real / file.disk_name not in taken:  # two roots may share a folder: the first one has the file
                files[path], stamps[path] = file, content.stamps[file.disk_name]
                taken.add(real / file.disk_name)
    elsewhere = _elsewhere(policy, base)
    if wrong := problems([*files, *elsewhere]):
        raise UnsuitablePaths(wrong)
    had, have = _roots_of(base.files if base else {}), _roots_of(files)
    emptied = tuple(sorted((had & roots.folders.keys()) - have))
    arriving = tuple(sorted(_arriving(roots, base)))
    return SaveContent(
        files, roots.folders, elsewhere, stamps, seen, tuple(links), tuple(specials), emptied, arriving, roots.moved
    )


def is_as_synced(content: SaveContent, base: SyncedSlot, policy: FolderPolicy) -> bool:
    """Whether the folders hold what they held at the last synchronisation, as far as the policy covers it.

    A policy that covers less than before is no change of the player's.
    """
    most = policy.limits.max_file_bytes if policy.limits.oversize == "skip" else 0
    had: dict[str, CloudFile | LocalFile] = {**base.files, **base.elsewhere}
    have: dict[str, CloudFile | LocalFile] = {**content.files, **content.elsewhere}
    kept = {path: one.identity for path, one in had.items() if policy.covers(path) and (not most or one.size <= most)}
    return kept == {path: one.identity for path, one in have.items()}


def on_device(slot_name: str, content: SaveContent, base: SyncedSlot | None, units: Mapping[str, str]) -> SlotOnDevice:
    """What a plan is asked about."""
    return SlotOnDevice(slot_name, content.identity, _savegame_id(base), _base_version(content, base), units)


@dataclass(frozen=True, slots=True)
class UploadOrigin:
    """Whose version it is, and what it grows from."""

    product_id: str
    slot_name: str
    device_id: str
    base: SyncedSlot | None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the request that are passed as they are."""


def prepare_upload(origin: UploadOrigin, content: SaveContent, snapshot: Snapshot) -> NewVersion:
    """Takes the snapshot of what the base lacks, and makes the request. Raises SaveChanged."""
    base = origin.base
    known = {file.sha256 for file in base.files.values()} if base else set()
    sources = _sources(content)
    changed = [source for source in sources if source.sha256 not in known]
    snapshot.take(changed, [source for source in sources if source.sha256 in known])
    sizes = {file.sha256: file.size for file in content.files.values()}
    parts: dict[str, Sequence[str]] = {}
    for digest in {source.sha256 for source in changed}:
        path = snapshot.path_of(digest)
        hashes = hash_parts(path, sizes[digest]) if path else ()
        if hashes:
            parts[digest] = hashes
    return NewVersion(
        origin.product_id,
        origin.slot_name,
        origin.device_id,
        content.files,
        content.elsewhere,
        parts,
        _base_version(content, base),
        _savegame_id(base),
        origin.options,
    )


def _savegame_id(base: SyncedSlot | None) -> str | None:
    return base.savegame_id or None if base else None


def _base_version(content: SaveContent, base: SyncedSlot | None) -> int:
    """From nothing where this device does not know better, whatever the service remembers of it."""
    return base.version if base and not content.moved else 0


def _sources(content: SaveContent) -> list[SnapshotSource]:
    return [
        SnapshotSource(content.folders[path.partition("/")[0]] / file.disk_name, content.stamps[path], file.sha256)
        for path, file in content.files.items()
    ]


def _to_scan(policy: FolderPolicy, roots: FoundRoots, base: SyncedSlot | None) -> list[RootToScan]:
    arriving = _arriving(roots, base)
    known: dict[str, dict[str, str]] = {}
    for path, file in (base.files if base else {}).items():
        known.setdefault(path.partition("/")[0], {})[file.disk_name] = path
    return [
        RootToScan(name, folder, policy.covers, policy.reaches, known.get(name, {}))
        for name, folder in roots.existing.items()
        if name not in arriving
    ]


def _elsewhere(policy: FolderPolicy, base: SyncedSlot | None) -> CloudFiles:
    """What the policy no longer covers is not part of the next version, and stays in the history."""
    return {path: file for path, file in (base.elsewhere if base else {}).items() if policy.covers(path)}


def _arriving(roots: FoundRoots, base: SyncedSlot | None) -> set[str]:
    return _roots_of(base.elsewhere if base else {}) & roots.folders.keys()


def _roots_of(files: Collection[str]) -> set[str]:
    return {path.partition("/")[0] for path in files}
