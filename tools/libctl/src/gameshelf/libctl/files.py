"""Bytes of a save from the store into a file: whole, verified and never over another file, or not at all."""

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from gameshelf.libctl.errors import Refused, Unavailable, Usage

_CHUNK = 256 * 1024
_SECONDS = 30.0
"""For how long a silent store is waited for."""
_LONGEST_NAME = 120
_LONGEST_ENDING = 10


def safe_name(slot_name: str, version: int) -> str:
    """A file name for a version: what its slot is called, without anything that a file system or a shell minds."""
    kept = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in slot_name).strip("._-")
    while len(kept.encode()) > _LONGEST_NAME:
        kept = kept[:-1]
    return f"{kept or 'save'}-v{version}.sav"


def safe_file_name(path: str, version: int) -> str:
    """A file name for a file of a version: what its path ends with, made safe, with the number of the version."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    name = safe_name(stem if dot else ending, version).removesuffix(".sav")
    kept = "".join(sign for sign in ending if sign.isalnum())[:_LONGEST_ENDING] if dot else ""
    return f"{name}.{kept}" if kept else name


def fetch(url: str, target: Path, size: int, digest: str, report: Callable[[str], None] = lambda text: None) -> None:
    """Downloads ``size`` bytes whose SHA-256 is ``digest`` into a file that must not be there yet.

    It gets its name when it is whole and right; until then it has another one, and when this raises nothing stays.
    Raises Usage for a target that is there or can't be written, Unavailable, and Refused for bytes that are others.
    """
    if os.path.lexists(target):
        raise Usage(f"{target} already exists and is not overwritten", "choose another file with --to")
    if urlsplit(url).scheme not in ("http", "https"):
        raise Refused("the service returned a download URL that is not HTTP", "check S3_PUBLIC_ENDPOINT of the service")
    try:
        handle, name = tempfile.mkstemp(prefix=".libctl-", suffix=".part", dir=target.parent)
    except OSError as error:
        raise Usage(f"{target} can't be written: {error.strerror}", "choose another file with --to") from None
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _receive(url, file, size, digest, report)
            file.flush()
            os.fsync(file.fileno())
        _name(part, target)
    finally:  # also of Ctrl-C
        with suppress(FileNotFoundError):
            part.unlink()


def _receive(url: str, file: BinaryIO, size: int, digest: str, report: Callable[[str], None]) -> None:
    seen, received = sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the scheme was looked at
            while received <= size and (chunk := answer.read(min(_CHUNK, size + 1 - received))):
                _write(file, chunk)
                seen.update(chunk)
                received += len(chunk)
                report(f"{received * 100 // max(size, 1)}%")
            if received < size and answer.length:  # announced, and not sent
                raise ConnectionResetError
    except urllib.error.HTTPError as error:
        raise _answered(error.code) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise Unavailable(f"the object store closed the connection: {reason}", "try again") from None
    if (received, seen.hexdigest()) != (size, digest):
        got = f"{'more than ' if received > size else ''}{min(received, size)} bytes, SHA-256 {seen.hexdigest()}"
        raise Refused(
            f"the object in S3 differs from the one recorded: {got}; expected {size} bytes, SHA-256 {digest}",
            "try again, then another version; libctl quota recalculate lists what is wrong",
            code="SAVEGAME_HASH_MISMATCH",
        )


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise Refused(
            f"the file can't be written: {error.strerror}", "choose a disk with more free space with --to"
        ) from None


def _answered(status: int) -> Refused:
    if status == 404:
        return Refused(
            "the object is missing in S3", "try another version; libctl quota recalculate lists what is missing"
        )
    if status == 403:
        return Refused("the object store refused the download: the URL may have expired", "try again")
    return Unavailable(f"the object store answers {status}", "try again later")


def _name(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # unlike a rename it replaces no file that was created meanwhile
    except FileExistsError:
        raise Usage(f"{target} already exists and is not overwritten", "choose another file with --to") from None
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise Usage(f"{target} already exists and is not overwritten", "choose another file with --to") from None
        part.rename(target)
