"""A child process that never outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAUNCH = str(Path(__file__).with_name("launch.py"))


class StartFailed(Exception):
    """A server did not come up; the message says what to look at."""


def as_somebody(command: Sequence[str]) -> list[str]:
    """The command line of a program that must not run as root, and ends when this process does."""
    return [*_launching(signal.SIGTERM, True), *command]


def _launching(last_signal: int, not_as_root: bool) -> list[str]:
    return [sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), str(int(last_signal)), str(int(not_as_root))]


class Process:
    """One started program in a process group of its own, with its output in a file.

    On Linux the kernel ends it when the parent dies, however the parent dies.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environ: Mapping[str, str] | None = None,
        last_signal: int = signal.SIGTERM,
        not_as_root: bool = False,
    ) -> None:
        """``last_signal`` is what the kernel sends when the parent dies; ``not_as_root`` hides from the program that it
        runs as root (it sees another user id in a user namespace, and the same files as its own)."""
        log.parent.mkdir(parents=True, exist_ok=True)
        launch = _launching(last_signal, not_as_root)
        self.started_at = time.time()
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*launch, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ) if environ is not None else None,
                start_new_session=True,
            )
        self.log = log

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def send(self, number: int) -> None:
        """Sends a signal to the program."""
        if self.returncode is None:
            self._popen.send_signal(number)

    def send_all(self, number: int) -> None:
        """Sends a signal to the program and everything that it has started."""
        if self.returncode is None:
            os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Waits for the end of the program. Returns whether it ended in time."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> None:
        """Asks it to end, and ends it when it does not."""
        self.send_all(signal.SIGCONT)
        self.send(number)
        if not self.wait(seconds):
            self.kill()

    def kill(self) -> None:
        """Ends it and everything that it has started at once."""
        self.send_all(signal.SIGKILL)
        self.wait(60)

    def tail(self, lines: int = 15) -> str:
        """The end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
