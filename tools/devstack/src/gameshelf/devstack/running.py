"""The stack that runs in the background (or in another terminal): finding it, waiting for it, ending it."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameshelf.devstack.process import StartFailed

_LOCK = "stack.lock"


class AlreadyRuns(Exception):
    """Another process keeps the stack of this checkout."""


class NotRunning(Exception):
    """No stack of this checkout runs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the stack."""

    name: str
    pid: int
    address: str
    started_at: float

    @property
    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not _is_zombie(self.pid)


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Makes this process the only one that keeps the stack. Raises AlreadyRuns."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRuns from None
        yield


def is_held(directory: Path) -> bool:
    """Returns whether a process keeps the stack."""
    if not (directory / _LOCK).exists():
        return False
    try:
        with hold(directory):
            return False
    except AlreadyRuns:
        return True


def state(directory: Path) -> dict[str, Any]:
    """Returns the notes of the process that keeps the stack. Raises NotRunning."""
    if not is_held(directory):
        raise NotRunning
    try:
        found: dict[str, Any] = json.loads((directory / "stack.json").read_text())
    except FileNotFoundError:
        raise NotRunning from None
    return found


def parts(directory: Path) -> list[Part]:
    """Returns the servers that run, with their addresses. Raises NotRunning."""
    return [Part(name, **described) for name, described in state(directory)["parts"].items()]


def start_in_background(directory: Path, arguments: list[str]) -> None:
    """Starts a keeper in a session of its own; passes on what it says until the stack is ready. Raises StartFailed."""
    log = directory / "log" / "stack.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "gameshelf.devstack", "keep", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
    with log.open(encoding="utf-8", errors="replace") as said:
        while not (directory / "stack.json").exists():
            sys.stderr.write(said.read())
            sys.stderr.flush()
            if keeper.poll() is not None:
                sys.stderr.write(said.read())
                raise StartFailed(f"the stack did not start; its log is {log}")
            time.sleep(0.1)
        sys.stderr.write(said.read())
    keeper.returncode = 0  # it continues without this process


def wait_until_well(directory: Path, seconds: float = 180.0) -> None:
    """Waits until everything runs; the keeper brings back what has died. Raises StartFailed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if all(part.alive for part in parts(directory)):
                return
        except NotRunning:
            pass
        time.sleep(0.1)
    raise StartFailed("a part of the stack does not come back; `./dev status` shows which, its log is in .local/")


def end(directory: Path, seconds: float = 60.0) -> bool:
    """Ends the stack and waits until it is gone; False when none ran."""
    if not is_held(directory):
        return False
    pid = _keeper(directory)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_held(directory) and time.monotonic() < deadline:
        time.sleep(0.05)
    return True


def note_keeper(directory: Path) -> None:
    """Writes down which process keeps the stack, before it starts anything."""
    (directory / "keeper.pid").write_text(str(os.getpid()))


def _keeper(directory: Path) -> int | None:
    try:
        return int((directory / "keeper.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False
