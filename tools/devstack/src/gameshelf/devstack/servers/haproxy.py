"""HAProxy, a load balancer that heeds readiness. It is no wheel: ``.ci/haproxy`` installs it."""

import csv
import shutil
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers.base import Server, free_port

# The check is that of an operator's balancer, at a shorter interval. A request is sent to another instance only if the
# connection could not be made: a balancer that repeated others would hide requests that an instance cut. An instance
# that answers 503 leaves the rotation at once, and a slow one stays: on a busy machine all may be slow at once.
_CONFIG = """global
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 5m
    timeout server 5m
    timeout tunnel 1h
    timeout check 30s
    option redispatch
    retries 3
    retry-on conn-failure
    option httpchk GET /health/ready
    http-check expect status 200
    default-server check inter {interval} fall 1 rise 1
frontend library
    bind {host}:{port}
    default_backend instances
backend instances
    balance roundrobin
    http-reuse safe
{servers}
frontend status
    bind {host}:{status_port}
    stats enable
    stats uri /
"""


def program() -> str | None:
    """The path of HAProxy; None where it is not installed."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


class HAProxy(Server):
    """Sends requests to those instances that are ready, in turn."""

    name: ClassVar[str] = "haproxy"

    def __init__(self, directory: Path, http_ports: Sequence[int], check_milliseconds: int = 200) -> None:
        """``http_ports`` are those of all instances, including those that are not started yet."""
        super().__init__(directory)
        self._http_ports = http_ports
        self._interval = f"{check_milliseconds}ms"
        self._status_port = free_port()

    def launch(self) -> Process:
        path = program()
        if path is None:
            raise StartFailed("haproxy is not installed: .ci/haproxy does it on Debian and Ubuntu")
        config = self.directory / "haproxy.cfg"
        servers = "\n".join(f"    server {port} {HOST}:{port}" for port in self._http_ports)
        config.write_text(
            _CONFIG.format(
                interval=self._interval, host=HOST, port=self.port, servers=servers, status_port=self._status_port
            )
        )
        return Process([path, "-db", "-f", str(config)], self.log)

    def in_rotation(self) -> set[int]:
        """The ports of the instances that it sends requests to."""
        with urllib.request.urlopen(f"http://{HOST}:{self._status_port}/;csv", timeout=5) as answer:
            rows = csv.DictReader(answer.read().decode().removeprefix("# ").splitlines())
        return {
            int(row["svname"])
            for row in rows
            if row["pxname"] == "instances" and row["svname"].isdigit() and row["status"].startswith("UP")
        }
