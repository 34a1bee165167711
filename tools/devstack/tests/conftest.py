"""A `./dev` of a test's own: its data in a temporary directory, its service on free ports."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from gameshelf.devstack import running as running_stack
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.tokens import TokenIssuer

ROOT = Path(__file__).parents[3]
PORTS = ("LIBRARY_SERVICE_HTTP_PORT", "LIBRARY_SERVICE_GRPC_PORT", "LIBRARY_SERVICE_METRICS_PORT")


class Dev:
    """Runs commands of `./dev` over one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder: Path | None = None
        """Where commands are run from."""
        self.environment = {
            **os.environ,
            "GAMESHELF_ROOT": str(ROOT),
            "GAMESHELF_DEV_DATA": str(data),
            **{name: str(free_port()) for name in PORTS},
        }
        self.started: list[subprocess.Popen[str]] = []
        self.seen: dict[int, str] = {}

    def start(self, *arguments: str, **options: object) -> "subprocess.Popen[str]":
        """Starts a command, and does not wait for its end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "gameshelf.devstack", *arguments],
            **{
                "env": self.environment,
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT,
                "text": True,
                **options,
            },
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "gameshelf.devstack", *arguments],
            env={**self.environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def status(self) -> list[dict[str, object]]:
        return json.loads(self.run("status", "--json").stdout)["parts"]

    def parts(self) -> dict[str, running_stack.Part]:
        """What ``status`` shows, by name. It is asked for again and again, and a command takes a second of CPU."""
        try:
            return {part.name: part for part in running_stack.parts(self.data)}
        except running_stack.NotRunning:
            return {}

    def is_well(self) -> bool:
        """Whether everything is up."""
        parts = self.parts().values()
        return bool(parts) and all(part.alive for part in parts)

    def items(self, user_id: object) -> httpx.Response:
        """Returns the answer of a player's library."""
        url = f"http://127.0.0.1:{self.environment['LIBRARY_SERVICE_HTTP_PORT']}/api/v1/library/items?limit=100"
        token = TokenIssuer(self.data / "keys").issue(str(user_id), ("user",))
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"})

    def owns(self, user_id: object, product_id: object) -> bool:
        owned = self.items(user_id).json()["data"]
        return any(item["attributes"]["product_id"] == str(product_id) for item in owned)

    def dsn(self) -> str:
        return f"postgresql://library@{self.parts()['postgresql'].address}/library"

    def is_forgotten(self, user_id: object) -> bool:
        """Whether nothing but a hash remains of an account, once what was in work for it has ended."""

        async def rows() -> int:
            connection = await asyncpg.connect(self.dsn())
            try:
                # The tombstone is deleted a quarter of an hour after the account.
                aged = "UPDATE gateway.user_streams SET erased_at = now() - interval '1 hour' WHERE user_id = $1"
                await connection.execute(f"{aged} AND erased_at IS NOT NULL", user_id)
                of_user = "SELECT count(*) FROM gateway.user_streams WHERE user_id = $1"
                return int(await connection.fetchval(of_user, user_id))
            finally:
                await connection.close()

        return asyncio.run(rows()) == 0

    def until(self, check: Callable[[], bool]) -> bool:
        """Whether a condition becomes true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (came := check()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return came

    def pid(self, part: str) -> int:
        return self.parts()[part].pid

    def processes(self) -> dict[int, str]:
        """Every process of the stack that runs: those that name the data directory, and what they have started."""
        running = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                state, parent, *fields = (path / "stat").read_text().rpartition(")")[2].split()
                known = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            except OSError:
                continue
            if state != "Z":
                # The start time distinguishes a process from a later one of the same number.
                running[int(path.name)] = (int(parent), fields[17], known)
        ours = {pid for pid, (_, _, known) in running.items() if str(self.data).encode() in known}
        ours |= {pid for pid, born in self.seen.items() if pid in running and running[pid][1] == born}
        ours.discard(os.getpid())
        while more := {pid for pid, (parent, _, _) in running.items() if parent in ours} - ours:
            ours |= more
        self.seen |= {pid: running[pid][1] for pid in ours}
        return {pid: running[pid][2].replace(b"\0", b" ").decode(errors="replace") for pid in ours}

    def all_gone(self) -> bool:
        """Whether nothing is left running, soon."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not self.processes()
        return True

    def close(self) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in self.started:
            process.wait(PATIENCE_SECONDS)
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def dev(tmp_path):
    """A data directory without a running stack."""
    made = Dev(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A data directory that tests have used before, but for the first of them."""
    made = Dev(tmp_path_factory.mktemp("used") / "data")
    yield made
    made.close()


@pytest.fixture
def started(used):
    """A stack in the background, of this test or an earlier one."""
    if not used.parts():
        up = used.run("up", "--detach")
        assert up.returncode == 0, up.stderr
    return used


@pytest.fixture
def stopped(used):
    """A data directory whose stack does not run."""
    assert used.run("down").returncode == 0
    return used


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A stack that runs in the background, for tests that leave it as it is."""
    made = Dev(tmp_path_factory.mktemp("dev") / "data")
    # An account as little like ours as can be: no home to write to, a proxy that is away, a folder full of modules.
    made.environment |= {"HOME": str(tmp_path_factory.mktemp("home")), "http_proxy": "http://127.0.0.1:1"}
    made.folder = tmp_path_factory.mktemp("elsewhere")
    for module in ("redis", "types", "yaml"):
        (made.folder / f"{module}.py").write_text("raise SystemExit('the wrong module')")
    up = made.run("up", "--detach")
    assert up.returncode == 0, up.stderr
    made.welcome = up.stderr
    yield made
    made.run("down")
    made.close()
