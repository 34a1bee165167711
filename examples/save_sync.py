"""Keeps a save the same on all machines: ``python examples/save_sync.py TOKEN PRODUCT FILE``.

To be run before a game starts, and after it has ended; it needs the distribution ``gameshelf-savesync``. The variable
LIBRARY_API names another address of the service. For a save of many files, and for a game that is only known by the
policy of its product, there is the command ``savesync``.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import httpx
from gameshelf.client import LibraryClient
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.conflict import ConflictDecision, ConflictResolution, SaveConflict
from gameshelf.savesync.errors import SaveSyncError
from gameshelf.savesync.report import SyncAction
from gameshelf.savesync.single_file import SingleFile, SingleFileReport, SingleFileSync
from gameshelf.savesync.store import SaveStore
from gameshelf.savesync.wire import CloudVersion

ADDRESS = os.environ.get("LIBRARY_API", "http://127.0.0.1:8084/api/v1/library")
CHOICES = [str(one) for one in ConflictResolution if one is not ConflictResolution.MERGE]


async def synchronise(asked: argparse.Namespace) -> str:
    """Synchronises the file, and returns what was done."""
    save = SingleFile(asked.product, asked.file, asked.slot, asked.device, asked.playtime)
    async with httpx.AsyncClient(timeout=60) as http:
        client = LibraryClient(ADDRESS, asked.token, language="en", http=http)
        sync = SingleFileSync(
            save, SaveApi(client), SaveStore(http), decide=lambda one: decision(one, asked.on_conflict)
        )
        return described(await sync.run(), asked.file)


def decision(conflict: SaveConflict, choice: str) -> ConflictDecision | None:
    """Asks the player, unless the command line says it."""
    if choice == "ask":
        print(side("this machine's save", conflict.branch), side("the cloud's save", conflict.head), sep="\n")
        choice = input(f"{', '.join(CHOICES)}, or nothing to decide later? ").strip()
    return ConflictDecision(ConflictResolution(choice)) if choice in CHOICES else None


def side(name: str, save: CloudVersion) -> str:
    """A side of a conflict, for the player."""
    when, played = save.client_modified_at or save.server_uploaded_at, save.playtime_seconds
    text = "unknown" if played is None else f"{played // 3600} h {played % 3600 // 60} min"
    return f"{name}: {save.device_id or 'unknown device'}, {when}, {save.size} bytes, played: {text}"


def described(report: SingleFileReport, file: Path) -> str:
    """What was done, for the player."""
    match report.action, report.reason:
        case SyncAction.UPLOAD, result:
            return f"uploaded: {result}, version {report.version}"
        case SyncAction.DOWNLOAD, _:
            return f"downloaded: version {report.version}"
        case SyncAction.CONFLICT, "open":
            return "undecided: the cloud keeps both"
        case SyncAction.CONFLICT, "keep_local":
            return f"resolved: keep_local; version {report.version}"
        case SyncAction.CONFLICT, resolution:
            return f"resolved: {resolution}; downloaded: version {report.version}"
        case SyncAction.DELETED, _:
            hint = f"bring it back, or delete this file and save again: {file.name}.sync"
            return f"the save was deleted elsewhere; {hint}"
    return "nothing has changed"


def main() -> str:
    """Returns the result as text, or ends the program with an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("token")
    parser.add_argument("product")
    parser.add_argument("file", type=Path)
    parser.add_argument("--slot", help="the save's name in the cloud; by default the file's")
    parser.add_argument("--device", help="another id than the one in FILE.sync")
    parser.add_argument("--playtime", type=int, help="how long this save was played, in seconds")
    parser.add_argument("--on-conflict", choices=("ask", *CHOICES), default="ask")
    try:
        return asyncio.run(synchronise(parser.parse_args()))
    except (SaveSyncError, OSError, EOFError, ValueError) as error:
        sys.exit(f"{error}; the file is as it was")


if __name__ == "__main__":
    print(main())
