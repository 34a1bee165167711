"""Room on the disk: servers that run out of it fail in ways that don't say so."""

import shutil
from pathlib import Path

MIB_NEEDED = 300
"""What a fresh stack writes, and some for what is done with it."""


def free_mib(path: Path) -> int:
    """Free space on the disk that a path is on, or will be when it is made."""
    there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free >> 20


def refusal_of_full(data: Path) -> str | None:
    """Returns what to do if the stack's data have no room; None if they have."""
    free = free_mib(data)
    if free >= MIB_NEEDED:
        return None
    return (
        f"{MIB_NEEDED} MiB are needed on the disk of {data}, {free} MiB are free; make room, or name another folder "
        "in GAMESHELF_DEV_DATA"
    )
