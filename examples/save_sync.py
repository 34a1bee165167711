"""Keeps a save the same on all machines: ``python examples/save_sync.py TOKEN PRODUCT FILE``.

To be run before a game starts, and after it has ended. It needs nothing but Python; the variable LIBRARY_API names
another address. Beside the file it keeps ``FILE.sync``: the version of the cloud that the file was the same as last,
and the random id by which the cloud knows this copy of the game (two machines may have one name).
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.request import Request
from uuid import uuid4

from library_rest import Library, Refused, send
from save_files import digest, read, replacing, write

CHOICES = ("keep_local", "keep_cloud", "keep_both")


class Changed(Exception):
    """The file or the save in the cloud has changed meanwhile: try again."""


class SaveSync:
    """A file of this machine, and its slot in the cloud."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.cloud = asked, Library(asked.token)
        self.file = asked.file.resolve()
        self.notes = self.file.with_name(f"{self.file.name}.sync")
        self.slot = normalize("NFC", asked.slot or self.file.name)

    def run(self) -> str:
        """Synchronises both, and returns what was done."""
        local, notes = read(self.file), json.loads(read(self.notes) or b"{}")
        self.device = self.asked.device or notes.get("device_id")
        if self.device is None:  # first of all: every run has to use the same id
            self.device = str(uuid4())
            self.keep({**notes, "device_id": self.device})
        saves = self.cloud.pages("savegames", product_id=self.asked.product)
        head = next((one for one in saves if one["attributes"]["slot_name"] == self.slot), None)
        # Also for a deleted save: the answer shows whether the file is the deleted version.
        base = notes.get("version", 0) if not head or head["id"] == notes.get("savegame_id") else 0  # 0: from nothing
        local_changed = local is not None and digest(local) != notes.get("sha256")
        cloud_changed = head is not None and (local is None or version_of(head) != base)
        match local_changed, cloud_changed:
            case False, False:
                return "nothing has changed"
            case True, False:
                return self.upload(local, base)
            case False, True:
                undecided = self.conflict_of(head["id"], base) if local is not None else None
                return self.settle(undecided, local) if undecided else self.download(head["id"], local)
            case _:  # both have; only the cloud knows whether one grew from the other, and keeps both if not
                return self.upload(local, base)

    def upload(self, local: bytes, base_version: int) -> str:
        """Requests an upload, sends the bytes and confirms them."""
        attributes = {
            "product_id": self.asked.product,
            "save_slot_name": self.slot,
            "file_size_bytes": len(local),
            "file_hash_sha256": digest(local),
            "base_version": base_version,
            "device_id": self.device,
            "client_modified_at": datetime.fromtimestamp(self.file.stat().st_mtime, UTC).isoformat(),
            "playtime_seconds": self.asked.playtime,
        }
        upload = self.cloud.post("savegames/upload-url", attributes)["data"]["attributes"]
        if upload["upload_required"]:  # else the cloud has these bytes already
            headers = {"Content-Type": "application/octet-stream", **upload["headers"]}
            send(Request(upload["upload_url"], local, headers, method=upload["method"])).close()
        try:
            done = self.cloud.post("savegames/confirm-upload", {"internal_save_id": upload["internal_save_id"]})
        except Refused as refused:
            if refused.code == "SAVEGAME_HASH_MISMATCH":  # other bytes have arrived, and were discarded
                raise Changed from None
            if refused.code != "SAVEGAME_VERSION_CONFLICT":
                raise
            sides = refused.meta  # the cloud keeps what was sent beside its head, until the player decides
            self.note(sides["savegame_id"], version_of(sides["branch"]), local)
            return self.settle(sides, local)
        save, result = done["data"], done["meta"]["result"]
        if result == "deleted":
            return (
                f"the save was deleted elsewhere; bring it back, or delete this file and save again: {self.notes.name}"
            )
        if result == "behind":  # the cloud has had these bytes, and a newer version after them
            return self.download(save["id"], local)
        self.note(save["id"], version_of(save), local)  # head, or identical
        return f"uploaded: {result}, version {version_of(save)}"

    def conflict_of(self, savegame_id: str, branch: int) -> Any:
        """The open conflict about this machine's version, if the player has not decided yet."""
        for one in self.cloud.pages("savegames/conflicts", product_id=self.asked.product):
            sides = {"conflict_id": one["id"], **one["attributes"]}
            if (sides["savegame_id"], version_of(sides["branch"])) == (savegame_id, branch):
                return sides
        return None

    def settle(self, sides: Any, local: bytes) -> str:
        """Asks the player. Nothing is lost: the other side stays in the history, or gets a slot of its own."""
        choice = self.asked.on_conflict
        if choice == "ask":
            print(
                described("this machine's save", sides["branch"]),
                described("the cloud's save", sides["head"]),
                sep="\n",
            )
            choice = input(f"{', '.join(CHOICES)}, or nothing to decide later? ").strip()
        if choice not in CHOICES:
            return "undecided: the cloud keeps both"
        seen = {f"{side}_version": version_of(sides[side]) for side in ("head", "branch")}
        try:
            done = self.cloud.post(
                f"savegames/conflicts/{sides['conflict_id']}/resolve", {"resolution": choice, **seen}
            )
        except Refused as refused:  # a side has a newer version, or another device has decided
            raise Changed if refused.code in ("SAVEGAME_VERSION_CONFLICT", "CONFLICT_NOT_FOUND") else refused from None
        if choice != "keep_local":
            return f"resolved: {choice}; {self.download(done['data']['id'], local)}"
        self.note(done["data"]["id"], version_of(done["data"]), local, is_news=True)
        return f"resolved: {choice}; version {version_of(done['data'])}"

    def download(self, savegame_id: str, before: bytes | None) -> str:
        """Puts the cloud's head in the place of the file, unless that has changed since it was read."""
        found = self.cloud.get(f"savegames/{savegame_id}/download-url")["data"]["attributes"]
        with send(Request(found["download_url"])) as answer, replacing(self.file) as part:
            content = answer.read()
            if (len(content), digest(content)) != (found["file_size_bytes"], found["file_hash_sha256"]):
                raise Changed
            write(part, content)
            if read(self.file) != before:
                raise Changed
        self.note(savegame_id, found["version"], content, is_news=True)
        return f"downloaded: version {found['version']}"

    def note(self, savegame_id: str, version: int, content: bytes, *, is_news: bool = False) -> None:
        """Notes that the file is this version, and reports it to the cloud unless it was just uploaded: a request for a
        download proves nothing.
        """
        notes = {"savegame_id": savegame_id, "version": version, "sha256": digest(content)}
        self.keep({**notes, "device_id": self.device})
        if is_news:
            self.cloud.post(f"savegames/{savegame_id}/synced", {"version": version, "device_id": self.device})

    def keep(self, notes: Any) -> None:
        """Writes the notes."""
        with replacing(self.notes) as part:
            write(part, json.dumps(notes).encode())


def version_of(save: Any) -> int:
    """The number of a save's version."""
    return int(save["attributes"]["version"])


def described(side: str, save: Any) -> str:
    """A side of a conflict, for the player."""
    of = save["attributes"]
    when, played = of["client_modified_at"] or of["server_uploaded_at"], of["playtime_seconds"]
    played = "unknown" if played is None else f"{played // 3600} h {played % 3600 // 60} min"
    return f"{side}: {of['device_id'] or 'unknown device'}, {when}, {of['file_size_bytes']} bytes, played: {played}"


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
    one = SaveSync(parser.parse_args())
    for _ in range(5):
        try:
            return one.run()
        except Changed:
            continue
        except (Refused, OSError, HTTPException, EOFError) as error:
            sys.exit(f"{error}; the file is as it was")
    sys.exit("the save changes all the time; the file is as it was")


if __name__ == "__main__":
    print(main())
