"""The service's commands in processes that are forked from one which has imported the service already.

Importing the service costs seconds of CPU, and a test run starts it a hundred times. The standard library's fork server
imports it once; a process that is forked from it differs from ``python -m gameshelf.gateway`` in nothing else.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path
from threading import Thread

from gameshelf.devstack.launch import PR_SET_PDEATHSIG
from gameshelf.devstack.process import Process

_PRELOADED = "gameshelf.devstack.preloaded"


class ForkedService(Process):
    """One command of the service, as ``Process`` runs a program: own process group, output in a file."""

    def __init__(self, command: str, log: Path, environ: Mapping[str, str], *options: str) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.started_at = time.time()
        # Daemonic: the end of the test run ends it, instead of waiting for it.
        self._forked = _context().Process(target=_run, args=((command, *options), str(log), dict(environ)), daemon=True)
        self._forked.start()

    @property
    def pid(self) -> int:
        pid = self._forked.pid
        assert pid is not None
        return pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative for the signal that ended it, as for a program."""
        return self._forked.exitcode

    def send(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def send_all(self, number: int) -> None:
        if self.returncode is None:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:  # it has not made its process group yet
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        self._forked.join(seconds)
        return self.returncode is not None


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED, __name__])
    return context


def _end_after_test_run() -> None:
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _run(arguments: tuple[str, ...], log: str, environ: dict[str, str]) -> None:
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # The fork server lasts as long as any process that it has forked, so it does not end with a killed test run.
    Thread(target=_end_after_test_run, daemon=True).start()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.close(output)
    os.environ.clear()
    os.environ.update(environ)
    from gameshelf.gateway.main import run

    sys.exit(run(arguments))
