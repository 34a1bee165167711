"""The base class of the embedded servers."""

import atexit
import secrets
import shutil
import signal
import socket
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from gameshelf.devstack.ports import HOST, listens
from gameshelf.devstack.process import Process, StartFailed

_PORTS = range(10_000, 32_000)
"""Below those that kernels take for outgoing connections: one of these could take a port before its server does."""
_claims: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that no other process is given by this function while this one lives."""
    while True:
        port = secrets.choice(_PORTS)
        if _claim(port) and _is_free(port):
            return port


def _claim(port: int) -> bool:
    if sys.platform != "linux":
        return True
    # A name in the abstract namespace is one process's alone, and the kernel frees it however the process ends.
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0gameshelf-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


@atexit.register
def _release_claims() -> None:
    """Closes them in an orderly way; else the interpreter warns of each at its end."""
    while _claims:
        _claims.pop().close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


class Server(ABC):
    """One server on a port of the loopback address, with its data in a directory of its own.

    ``start`` again after ``stop`` or ``kill`` keeps the port and the data.
    """

    name: ClassVar[str]
    ready_seconds: ClassVar[float] = 120.0  # who ends says so at once: this is for who hangs

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.process: Process | None = None

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def start(self) -> None:
        """Starts it and waits until it serves. Raises StartFailed."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Starts it; it does not serve yet. Raises StartFailed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = self.launch()

    def wait_until_ready(self) -> None:
        """Waits until it serves, after ``begin``. Raises StartFailed."""
        if self.process:
            self._wait_ready(self.process)
        self.prepare()

    @abstractmethod
    def launch(self) -> Process:
        """Starts the program."""

    def prepare(self) -> None:  # noqa: B027 - most servers need nothing
        """Prepares the server once it answers."""

    def is_ready(self) -> bool:
        """Returns whether the server answers."""
        return listens(self.port)

    def stop(self) -> None:
        """Ends it in an orderly way."""
        if self.process:
            self.process.stop(self.stop_signal)

    stop_signal: ClassVar[int] = signal.SIGTERM

    def remove(self) -> None:
        """Ends it in an orderly way, so that nothing that it has started still writes, and removes its data."""
        self.thaw()
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """Ends it as a power failure would."""
        if self.process:
            self.process.kill()

    def freeze(self) -> None:
        """Suspends the program; it keeps its state."""
        if self.process:
            self.process.send_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resumes a frozen program."""
        if self.process:
            self.process.send_all(signal.SIGCONT)

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    def _wait_ready(self, process: Process) -> None:
        deadline = time.monotonic() + self.ready_seconds
        while not self.is_ready():
            if process.returncode is not None:
                raise StartFailed(f"{self.name} ended at once ({process.log}):\n{process.tail()}")
            if time.monotonic() > deadline:
                process.kill()
                raise StartFailed(f"{self.name} did not come up in time ({process.log}):\n{process.tail()}")
            time.sleep(0.02)
