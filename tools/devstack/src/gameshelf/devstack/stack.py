"""The embedded servers and the service, started and kept together by one process."""

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.devstack import clients, demo, demo_story
from gameshelf.devstack.account_server import AccountServer
from gameshelf.devstack.environment import erasure_secret, service_environment, settings_asked_for
from gameshelf.devstack.events import publish, until_applied
from gameshelf.devstack.launcher.actions import DemoActions
from gameshelf.devstack.launcher.orders import DemoOrders, orders_of
from gameshelf.devstack.launcher.pages import headers_of
from gameshelf.devstack.launcher.server import LauncherServer
from gameshelf.devstack.picture_server import PictureServer
from gameshelf.devstack.ports import listens, port_of, refusal_of_taken
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import S3, Kafka, Postgres, Server, Valkey, choice
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.tokens import TokenIssuer

_READY_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_SERVICE = (sys.executable, "-m", "gameshelf.gateway")

_ACCOUNTS = "ACCOUNT_SERVICE_GRPC_ADDR"
_PORTS = ("postgresql", "valkey", "kafka", "s3", "pictures", "launcher", "accounts")

Say = Callable[[str], None]


class PortTaken(Exception):
    """A port of the service is in use; the message names the variable."""


class Stack:
    """Everything that ``./dev up`` runs, with its data in one directory."""

    def __init__(
        self, directory: Path, say: Say, service: tuple[str, ...] = _SERVICE, origins: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.asked = settings_asked_for(origins)
        self._say = say
        self._service_command = service
        ports = self._ports()
        # Each kind of servers has data of its own: another version of PostgreSQL refuses what one has written.
        self._data = directory / "real" if choice.are_real() else directory
        self.postgres = Postgres(self._data / "postgresql", ports["postgresql"])
        self.valkey = Valkey(self._data / "valkey", ports["valkey"])
        self.kafka = Kafka(self._data / "kafka", ports["kafka"])
        self.s3 = S3(self._data / "s3", ports["s3"])
        self.pictures = PictureServer(ports["pictures"], demo.pictures())
        self.launcher = LauncherServer(ports["launcher"])
        self.accounts = AccountServer(ports["accounts"], demo.people())
        self.issuer = TokenIssuer(directory / "keys")
        allowed = (*origins, *self.launcher.origins)
        self.environment = service_environment(
            self.postgres, self.valkey, self.kafka, self.s3, self.issuer, erasure_secret(directory / "keys"), allowed
        )
        self.environment[_ACCOUNTS] = os.environ.get(_ACCOUNTS) or self.accounts.address
        self.service: Process | None = None
        self._ending = threading.Event()

    @property
    def servers(self) -> tuple[Server, ...]:
        return (self.postgres, self.valkey, self.kafka, self.s3)

    @property
    def state_file(self) -> Path:
        return self.directory / "stack.json"

    def _ports(self) -> dict[str, int]:
        """The servers' ports, chosen at the first start and kept as long as no other program has taken them."""
        path = self.directory / "ports.json"
        ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        if missing := [name for name in _PORTS if name not in ports or listens(ports[name])]:
            self.directory.mkdir(parents=True, exist_ok=True)
            ports |= {name: free_port() for name in missing}
            path.write_text(json.dumps(ports))
        return ports

    def start(self) -> None:
        """Brings everything up. Raises StartFailed, PortTaken."""
        if refusal := refusal_of_taken():
            raise PortTaken(refusal)
        cache = "Redis" if choice.are_real() else "Valkey"
        self._say(f"starting PostgreSQL, {cache}, a Kafka broker and an S3 gateway")
        self.pictures.start()
        self.accounts.start()
        self._serve_launcher()
        # Programs are started by this thread alone: a child is signalled when the thread that created it ends.
        for server in self.servers:
            server.start()
            self._say(f"  {server.name:<11} {server.address}")
        self._migrate()
        self._start_service()
        self._say("publishing the demo games and players")
        self._publish_demo()
        self._play_story()
        self._save()

    def _serve_launcher(self) -> None:
        api = clients.addresses(self.environment)["LIBRARY_API"]
        bought = orders_of(demo.events(self.pictures.url, datetime.now(UTC)))
        orders = DemoOrders(self._data / "launcher-orders.json", bought)
        actions = DemoActions(api, self.pictures.url, self.issuer, self.kafka.address, orders)
        service = api.removesuffix("/api/v1/library")
        headers = headers_of(service, self.s3.endpoint, self.pictures.url)
        self.launcher.start(headers, actions.config, actions.by_path())

    def _migrate(self) -> None:
        self._say("migrating the database")
        environ = {**os.environ, **self.environment}
        migration = Process(
            [*self._service_command, "migrate"], self.directory / "log" / "migrate.log", environ=environ
        )
        if not migration.wait(120) or migration.returncode != 0:
            raise StartFailed(f"the migration failed:\n{migration.tail()}")

    def _start_service(self) -> None:
        self._say("starting the Library Service")
        environ = {**os.environ, **self.environment}
        log = self.directory / "log" / "service.log"
        self.service = Process([*self._service_command, "serve"], log, environ=environ)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._service_ready():
            if self.service.returncode is not None:
                raise StartFailed(f"the service ended at once ({log}):\n{self.service.tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"the service did not become ready ({log}):\n{self.service.tail()}")
            time.sleep(0.05)

    def _start_service_again(self) -> None:
        """Without a migration, which takes as long as the start itself: only changed code may need one."""
        try:
            self._start_service()
        except StartFailed:
            if self.service and self.service.returncode is None:
                raise  # it runs, and may still become ready
            self._migrate()
            self._start_service()

    def _service_ready(self) -> bool:
        url = f"http://127.0.0.1:{port_of('LIBRARY_SERVICE_HTTP_PORT')}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _publish_demo(self) -> None:
        """Publishes the demo's events and waits until each is applied, also those of an erased account."""
        events = demo.events(self.pictures.url, datetime.now(UTC))
        asyncio.run(publish(self.kafka.address, events))
        try:
            key = self.environment["ERASURE_HASH_KEY"]
            asyncio.run(until_applied(self.postgres.dsn(), events, _READY_SECONDS, erasure_key=key))
        except TimeoutError:
            raise StartFailed(
                "the demo's events are not applied; the service's log is .local/log/service.log"
            ) from None

    def _play_story(self) -> None:
        """Sends the actions of the demo's players, once per data directory."""
        marker = self._data / "demo.json"
        if marker.exists():
            return
        api = f"http://127.0.0.1:{port_of('LIBRARY_SERVICE_HTTP_PORT')}/api/v1/library"
        try:
            demo_story.play_story(api, self.issuer.issue, datetime.now(UTC))
        except demo_story.StoryFailed as error:
            self._say(f"the demo's players could not do all that they did: {error}")
        else:
            marker.write_text("{}")

    def keep(self) -> None:
        """Brings back what dies, until ``end`` is called."""
        pause = _LOOK_SECONDS
        while not self._ending.wait(pause):
            try:
                pause = _LOOK_SECONDS if self._revive() else min(pause * 2, 10)
            except StartFailed as error:
                self._say(str(error))
                pause = min(pause * 2, 10)

    def _revive(self) -> bool:
        dead = [server for server in self.servers if not server.alive]
        for server in dead:
            self._say(f"{server.name} has died; starting it again")
            server.start()
        if self.service is None or self.service.returncode is not None:
            self._say("the service has died; starting it again")
            self._start_service_again()
            dead.append(self.postgres)
        if dead:
            self._save()
        return not dead

    def end(self) -> None:
        """Makes ``keep`` return."""
        self._ending.set()

    def stop(self) -> None:
        """Ends everything, the service first."""
        if self.service:
            self.service.stop(signal.SIGTERM, 25)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.stop(), self.servers))
        self.pictures.stop()
        self.accounts.stop()
        self.launcher.stop()
        self.state_file.unlink(missing_ok=True)

    def _save(self) -> None:
        """Writes what runs where, for the other commands."""
        parts = {server.name: (server.process, server.address) for server in self.servers}
        parts["service"] = (self.service, f"127.0.0.1:{self.environment['LIBRARY_SERVICE_HTTP_PORT']}")
        state = {
            "supervisor": os.getpid(),
            "environment": self.environment,
            "asked": self.asked,
            "launcher": self.launcher.url,
            "real": choice.are_real(),
            "parts": {
                name: {"pid": process.pid, "address": address, "started_at": process.started_at}
                for name, (process, address) in parts.items()
                if process
            },
        }
        temporary = self.state_file.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(state, indent=1))
        temporary.replace(self.state_file)


def wipe(directory: Path) -> None:
    """Forgets all data."""
    shutil.rmtree(directory, ignore_errors=True)
