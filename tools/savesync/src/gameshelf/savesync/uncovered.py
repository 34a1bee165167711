"""Files that a game wrote beside its save and that no pattern covers: a sign that the save has moved.

Nothing is read but names and times, in the folder of the game and the two levels below it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gameshelf.savesync.paths import System, to_cloud
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.roots import FoundRoots
from gameshelf.savesync.scan import WORK_FOLDER

_DEPTH = 2
_MOST_ENTRIES = 5_000
"""Of a folder of a game: what lies behind them is not looked at."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class UncoveredFiles:
    """Files that have changed in the folder of a game since the last synchronisation, and are not part of the save."""

    root: str
    count: int
    paths: tuple[Path, ...]
    """The first of them, by their names."""


def find_uncovered(policy: FolderPolicy, roots: FoundRoots, since_ns: int, system: System) -> list[UncoveredFiles]:
    """Looks around each root. A policy without roots covers everything, so it has none."""
    found: list[UncoveredFiles] = []
    seen: set[Path] = set()
    for name, game in sorted(roots.games.items()):
        if not policy.roots or game in seen:
            continue
        seen.add(game)
        changed = sorted(path for path in _changed(game, since_ns) if not _is_covered(path, policy, roots, system))
        if changed:
            found.append(UncoveredFiles(name, len(changed), tuple(changed[:SHOWN])))
    return found


def _is_covered(path: Path, policy: FolderPolicy, roots: FoundRoots, system: System) -> bool:
    for name, folder in roots.folders.items():
        with suppress(ValueError, UnicodeError):
            if policy.covers(f"{name}/{to_cloud(path.relative_to(folder).as_posix(), system)}"):
                return True
    return False


def _changed(game: Path, since_ns: int) -> Iterator[Path]:
    left = _MOST_ENTRIES
    pending = [(game, 0)]
    while pending:
        folder, depth = pending.pop(0)
        with suppress(OSError):  # a folder that cannot be read is no sign of anything
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                left -= 1
                if left < 0:
                    return
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    if depth < _DEPTH and entry.name != WORK_FOLDER:
                        pending.append((Path(entry.path), depth + 1))
                elif stat.S_ISREG(found.st_mode) and found.st_mtime_ns > since_ns:
                    yield Path(entry.path)
