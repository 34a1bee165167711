"""Which processes of a game run: while one does, its files may be in the middle of a change."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gameshelf.savesync.errors import ProcessesUnknown

_COMM_LENGTH = 15
"""Linux keeps so many bytes of a name beside the command line."""


def running(names: Iterable[str]) -> list[str]:
    """The names of those that run, compared without case, with or without ``.exe``.

    Raises ProcessesUnknown.
    """
    wanted = {_bare(name): name for name in names}
    if not wanted:
        return []
    try:
        return sorted({wanted[_bare(name)] for name in _names() if _bare(name) in wanted})
    except (OSError, subprocess.SubprocessError) as error:
        raise ProcessesUnknown(error) from error


def _bare(name: str) -> str:
    return name.casefold().removesuffix(".exe")


def _names() -> Iterator[str]:
    if Path("/proc/self/stat").exists():
        return _names_of_proc(Path("/proc"))
    return _names_of_windows() if sys.platform == "win32" else _names_of_ps()


def _names_of_proc(proc: Path) -> Iterator[str]:
    """The name that the kernel has, and that of the program, which Wine gives as a path of Windows."""
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            comm = (folder / "comm").read_bytes().rstrip(b"\n")
            if len(comm) < _COMM_LENGTH:
                yield os.fsdecode(comm)
            yield _last_part(os.fsdecode((folder / "cmdline").read_bytes().partition(b"\0")[0]))


def _names_of_windows() -> Iterator[str]:
    listed = subprocess.run(["tasklist", "/fo", "csv", "/nh"], capture_output=True, check=True, timeout=30)
    rows = csv.reader(io.StringIO(listed.stdout.decode("oem" if sys.platform == "win32" else "utf-8", "replace")))
    return (row[0] for row in rows if row)


def _names_of_ps() -> Iterator[str]:
    listed = subprocess.run(["ps", "-axo", "comm="], capture_output=True, check=True, timeout=30)
    return (_last_part(line.strip()) for line in os.fsdecode(listed.stdout).splitlines())


def _last_part(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
