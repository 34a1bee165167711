"""Support at work: the command line against a real service, with the tokens of several people."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from gameshelf.devstack.pytest_plugin import Platform, Service
from gameshelf.libctl.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


class Libctl:
    """Somebody at the command line."""

    def __init__(self, service: Service, token: str, user_id: UUID, columns: int = 120) -> None:
        self.id = user_id
        self.columns = columns
        self.environment = {"LIBCTL_ENDPOINT": service.grpc, "LIBCTL_TOKEN": token, "LIBCTL_PROFILES": os.devnull}

    def run(self, *words: object, **environment: str) -> Ran:
        """Types a command, in this very process: nothing but ``main`` and the service is between."""
        arguments = [str(word) for word in words]
        out, err = io.StringIO(), io.StringIO()
        before, argv, handler = dict(os.environ), sys.argv, signal.getsignal(signal.SIGTERM)
        os.environ.update(self.environment, COLUMNS=str(self.columns), **environment)
        sys.argv = ["libctl", *arguments]
        try:
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                main(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
            sys.argv = argv
            signal.signal(signal.SIGTERM, handler)
        return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def process(self, *words: object) -> int:
        """Types a command in a process of its own; its exit code."""
        command = [sys.executable, "-m", "gameshelf.libctl", *map(str, words)]
        return subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True).returncode

    def shows(self, *words: object) -> str:
        """The table of a command that must succeed."""
        ran = self.run(*words)
        assert ran.code == 0, ran.err
        return ran.out

    def data(self, *words: object) -> Any:
        """The JSON of a command that must succeed."""
        ran = self.run("--json", *words)
        assert ran.code == 0, ran.err
        return ran.data

    def applies(self, *words: object, reason: str = "ticket 4711") -> Any:
        """The JSON of a change that must be made."""
        done = self.data(*words, "--apply", "--reason", reason)
        assert done["applied"]
        assert done["audit_id"]
        return done

    def refused(self, *words: object) -> tuple[int, str]:
        """Exit code and contract's code of a command that must be refused."""
        ran = self.run("--json", *words)
        assert ran.code != 0, ran.out
        assert ran.out == ""
        assert ran.error["try"]
        return ran.code, ran.error["code"]


@pytest.fixture(scope="session")
def platform(create_platform: Callable[..., Platform], s3: Any) -> Iterator[Platform]:
    """One platform with a bucket, for all of these tests: each has users of its own."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="session")
def service(platform: Platform) -> Service:
    made = platform.service()
    made.start()
    return made


@pytest.fixture(scope="session")
def staff(platform: Platform, service: Service) -> Callable[..., Libctl]:
    """Makes somebody with these roles."""

    def make(*roles: str, user_id: UUID | None = None) -> Libctl:
        somebody = user_id or uuid4()
        return Libctl(service, platform.issuer.issue(str(somebody), roles, ttl=3600), somebody)

    return make


@pytest.fixture(scope="session")
def support(staff: Callable[..., Libctl]) -> Libctl:
    return staff("support")


@pytest.fixture(scope="session")
def admin(staff: Callable[..., Libctl]) -> Libctl:
    return staff("admin")
