"""For tests of a client: devices whose client is run by a command line, killed, and compared byte for byte.

``KitDevice`` makes a device in a folder. Its command gets the folder of its state and the file of a version, or
``--recover``; ``reference_client`` is such a client. The variable ``GAMESHELF_CRASH`` ends it at a point.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, run

ENDINGS = (".sav", ".dat", ".txt")
TIME = 1_700_000_000_000_000_000


class KitDevice:
    """A device: a folder per root, the state of its client, and versions to apply."""

    def __init__(self, home: Path, command: Sequence[str], roots: Sequence[str] = ("saves",)) -> None:
        self.home, self.command = home, [*command]
        self.state, self.contents = home / "state", home / "contents"
        self.roots = {name: home / "disk" / name for name in roots}
        for folder in (self.state, self.contents, *self.roots.values()):
            folder.mkdir(parents=True, exist_ok=True)
        self.settings(ENDINGS)

    def settings(self, endings: Sequence[str]) -> None:
        """Writes the folders of the roots, and the endings that the policy matches, for the client to read."""
        values = {"roots": {name: str(folder) for name, folder in self.roots.items()}, "endings": endings}
        (self.state / "settings.json").write_text(json.dumps(values))

    def version(self, number: int, files: Mapping[str, bytes]) -> Path:
        """Writes a version with these files: path to bytes."""
        listed = {}
        for place, (path, content) in enumerate(files.items()):
            digest = hashlib.sha256(content).hexdigest()
            (self.contents / digest).write_bytes(content)
            listed[path] = {"size": len(content), "sha256": digest, "mtime_ns": TIME + number * 10**12 + place * 10**9}
        file = self.home / f"v{number}.json"
        file.write_text(json.dumps({"version": number, "files": listed, "contents": str(self.contents)}))
        return file

    def run(self, version: Path | None = None, crash: str = "", user: int | None = None) -> CompletedProcess[str]:
        """Runs the client, as another user if that is asked for: the result of the process."""
        command = [*self.command, str(self.state), str(version) if version else "--recover"]
        environment = {**os.environ, "GAMESHELF_CRASH": crash, "KIT_USER": str(user or "")}
        return run(command, env=environment, capture_output=True, text=True, check=False)

    def points(self, version: Path) -> list[str]:
        """The names of all points that this apply passes, in order. It is applied."""
        passed = self.home / "points"
        done = self.run(version, f"?{passed}")
        if done.returncode:
            raise AssertionError(done.stderr)
        return passed.read_text().splitlines()

    def reported(self) -> list[str]:
        """The versions that the client reported to the service, in order."""
        return (self.state / "reported").read_text().split()


def content_of(folder: Path) -> dict[str, tuple[bytes, int] | None]:
    """Everything in a folder: bytes and time of files, None for folders."""
    found: dict[str, tuple[bytes, int] | None] = {}
    for inside, folders, names in os.walk(folder):
        for name in folders:
            found[(Path(inside) / name).relative_to(folder).as_posix()] = None
        for name in names:
            file = Path(inside) / name
            found[file.relative_to(folder).as_posix()] = (file.read_bytes(), file.lstat().st_mtime_ns)
    return found
