"""A client without a service: applies the version in a JSON file to folders, as ``savesync`` does it.

``python -m gameshelf.savesync.reference_client STATE VERSION`` recovers first, applies the version unless it is there,
records it and finishes; with ``--recover`` it only recovers. ``conformance.KitDevice`` writes what it reads. Tests kill
it at any point, and another launcher's client can be tested in its place.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from gameshelf.savesync.apply import Applied, FolderApplier
from gameshelf.savesync.apply_errors import ApplyError
from gameshelf.savesync.apply_plan import ApplyTarget
from gameshelf.savesync.crash import crash_point
from gameshelf.savesync.files import CloudFile, FetchedVersion, LocalFile, LocalFiles, RootFolders, SyncedSlot, mtime_of
from gameshelf.savesync.paths import System, to_cloud
from gameshelf.savesync.scan import WORK_FOLDER


def scan_endings(roots: RootFolders, endings: Sequence[str]) -> LocalFiles:
    """The files of the save: those with an ending of the policy."""
    found: dict[str, LocalFile] = {}
    for root, folder in roots.items():
        for inside, folders, names in os.walk(folder):
            folders[:] = [one for one in folders if one != WORK_FOLDER]
            for file in (Path(inside) / name for name in names):
                disk = file.relative_to(folder).as_posix()
                path = f"{root}/{to_cloud(disk, System.LINUX)}"
                if path.endswith(tuple(endings)) and not file.is_symlink():
                    at, digest = file.lstat(), hashlib.sha256(file.read_bytes()).hexdigest()
                    found[path] = LocalFile(at.st_size, mtime_of(at), digest, disk)
    return found


def record(state: Path, applied: Applied) -> None:
    """Remembers a version, and reports it in a file that stands for the service."""
    new = state / "synced.json.new"
    new.write_text(json.dumps(asdict(applied.slot)), encoding="utf-8")
    new.replace(state / "synced.json")
    crash_point("state-written")
    with (state / "reported").open("a", encoding="utf-8") as reported:
        reported.write(f"{applied.slot.version}\n")
    crash_point("synced-sent")


def synced_of(state: Path) -> SyncedSlot | None:
    """The version that was recorded last."""
    try:
        values = json.loads((state / "synced.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    files = {path: LocalFile(**one) for path, one in values.pop("files").items()}
    elsewhere = {path: CloudFile(**one) for path, one in values.pop("elsewhere").items()}
    return SyncedSlot(files=files, elsewhere=elsewhere, **values)


def run(state: Path, version: Path | None) -> None:
    """Recovers, and applies the version unless the folders have it."""
    settings = json.loads((state / "settings.json").read_text(encoding="utf-8"))
    roots = {name: Path(folder) for name, folder in settings["roots"].items()}
    endings = tuple(settings["endings"])
    applier = FolderApplier(state)
    recovery = applier.recover(roots.items())
    if recovery and recovery.applied:
        record(state, recovery.applied)
        applier.finish()
    if version is None:
        return
    wanted, synced = json.loads(version.read_text(encoding="utf-8")), synced_of(state)
    if synced and synced.version == wanted["version"]:
        return
    files = {path: CloudFile(**one) for path, one in wanted["files"].items()}
    contents = {one.sha256: Path(wanted["contents"]) / one.sha256 for one in files.values()}
    target = ApplyTarget(
        version=FetchedVersion("main", "id", wanted["version"], "identity", files, contents),
        roots=roots,
        local=scan_endings(roots, endings),
        synced=synced,
        covers=lambda path: path.endswith(endings),
        made_folders=applier.made_folders,
    )
    record(state, applier.apply(target))
    applier.finish()


def main() -> None:
    """Ends with the error's name and its message where nothing was applied."""
    if sys.platform != "win32" and (user := os.environ.get("KIT_USER")):
        os.setuid(int(user))  # tests of permissions run as root, which has them all
    state, version = sys.argv[1:]
    try:
        run(Path(state), None if version == "--recover" else Path(version))
    except ApplyError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
