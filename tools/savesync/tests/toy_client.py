"""A client without a service: applies the version in a JSON file to folders, as ``savesync`` does it.

``toy_client.py STATE VERSION`` recovers first, applies the version unless it is there, records and finishes. With
``--recover`` it only recovers. Its state is a JSON file; the folder suite kills it wherever it likes.
"""

import hashlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from gameshelf.savesync.apply import Applied, FolderApplier
from gameshelf.savesync.apply_errors import ApplyError
from gameshelf.savesync.apply_plan import ApplyTarget
from gameshelf.savesync.crash import crash_point
from gameshelf.savesync.files import CloudFile, FetchedVersion, LocalFile, SyncedSlot
from gameshelf.savesync.paths import System, to_cloud
from gameshelf.savesync.scan import WORK_FOLDER


def scan(roots, patterns):
    """The files of the save: those with an ending of the policy."""
    found = {}
    for root, folder in roots.items():
        for inside, folders, names in os.walk(folder):
            folders[:] = [one for one in folders if one != WORK_FOLDER]
            for name in names:
                file = Path(inside) / name
                if file.is_symlink():
                    continue
                disk = file.relative_to(folder).as_posix()
                path = f"{root}/{to_cloud(disk, System.LINUX)}"
                if path.endswith(tuple(patterns)):
                    at = file.lstat()
                    digest = hashlib.sha256(file.read_bytes()).hexdigest()
                    found[path] = LocalFile(at.st_size, at.st_mtime_ns, digest, disk)
    return found


def record(state, applied: Applied):
    new = state / "synced.json.new"
    new.write_text(json.dumps(asdict(applied.slot)))
    new.replace(state / "synced.json")
    crash_point("state-written")
    with (state / "reported").open("a") as reported:  # what the service is sent
        reported.write(f"{applied.slot.version}\n")
    crash_point("synced-sent")


def synced_of(state):
    try:
        values = json.loads((state / "synced.json").read_text())
    except FileNotFoundError:
        return None
    files = {path: LocalFile(**one) for path, one in values.pop("files").items()}
    elsewhere = {path: CloudFile(**one) for path, one in values.pop("elsewhere").items()}
    return SyncedSlot(files=files, elsewhere=elsewhere, **values)


def main(state, version=None):
    state = Path(state)
    settings = json.loads((state / "settings.json").read_text())
    roots = {name: Path(folder) for name, folder in settings["roots"].items()}
    applier = FolderApplier(state)
    recovery = applier.recover(roots)
    if recovery and recovery.applied:
        record(state, recovery.applied)
        applier.finish()
    if version is None:
        return
    wanted = json.loads(Path(version).read_text())
    synced = synced_of(state)
    if synced and synced.version == wanted["version"]:
        return
    files = {path: CloudFile(**one) for path, one in wanted["files"].items()}
    contents = {one.sha256: Path(wanted["contents"]) / one.sha256 for one in files.values()}
    target = ApplyTarget(
        version=FetchedVersion("main", "id", wanted["version"], "identity", files, contents),
        roots=roots,
        local=scan(roots, settings["patterns"]),
        synced=synced,
        covers=lambda path: path.endswith(tuple(settings["patterns"])),
        made_folders=applier.made_folders,
    )
    record(state, applier.apply(target))
    applier.finish()


if __name__ == "__main__":
    if os.environ.get("TOY_USER"):
        os.setuid(int(os.environ["TOY_USER"]))
    try:
        main(*[one for one in sys.argv[1:] if one != "--recover"])
    except ApplyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
