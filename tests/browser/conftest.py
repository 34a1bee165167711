"""A stack of its own behind `./dev up`, and a browser: or one line that says why there is none."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port

from .chromium import Browser, chromium

ROOT = Path(__file__).parents[2]
PORTS = ("LIBRARY_SERVICE_HTTP_PORT", "LIBRARY_SERVICE_GRPC_PORT", "LIBRARY_SERVICE_METRICS_PORT")


class Stack:
    """What `./dev up --detach` has started, from the welcome that it prints."""

    def __init__(self, data: Path) -> None:
        ports = {name: str(free_port()) for name in PORTS}
        paths = {"GAMESHELF_ROOT": str(ROOT), "GAMESHELF_DEV_DATA": str(data)}
        self._environment = {**os.environ, **ports, **paths}
        welcome = self.dev("up", "--detach")
        found = re.search(r"open this +(\S+)", welcome.stderr)
        assert found, welcome.stderr
        self.page = found[1]

    def dev(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "gameshelf.devstack", *arguments]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 3, check=False
        )

    def kill_service(self) -> None:
        """It dies; `./dev up` starts it again."""
        parts = json.loads(self.dev("status", "--json").stdout)["parts"]
        os.kill(next(part["pid"] for part in parts if part["name"] == "service"), signal.SIGKILL)

    def wait_for_service(self) -> None:
        """Returns once it is ready again. How long that takes says how fast the machine is, and nothing else."""
        api = f"http://127.0.0.1:{self._environment['LIBRARY_SERVICE_HTTP_PORT']}"
        deadline = time.monotonic() + PATIENCE_SECONDS * 3
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{api}/health/ready", timeout=5):
                return
            assert time.monotonic() < deadline, self.dev("status").stdout
            time.sleep(0.1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    if chromium() is None:
        pytest.skip("NOT RUN: there is no Chromium; .ci/browser installs it on Debian")
    made = Stack(tmp_path_factory.mktemp("launcher") / "data")
    yield made
    made.dev("down")


@pytest.fixture(scope="session")
async def browser(stack, tmp_path_factory):
    async with Browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
async def open_window(stack, browser):
    """Opens windows at an address of the page. Each test ends with a console that has shown nothing unexpected."""
    opened = []

    async def open_one(address="?player=anna", allowed=()):
        window = await browser.open(f"{stack.page}/{address}")
        opened.append((window, allowed))
        return window

    yield open_one
    unexpected = []
    for window, allowed in opened:
        await window.close()
        unexpected += [error for error in window.errors if not any(one in error for one in allowed)]
    assert unexpected == []
