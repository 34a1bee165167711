"""Pages and heartbeats of players, on a schedule: what else a service does while it has long work."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import httpx
from _load import Connections, is_success, percentile, raw
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from rich.console import Console
from rich.table import Table

READERS = 50
"""How many players ask."""
_WARM_UP_SECONDS = 5
_PATIENCE_SECONDS = 60
"""Who answers none of a kind for so long hangs."""
_TIMEOUT_SECONDS = 30
_GAMES = 100
_API = "/api/v1/library"


@dataclass(slots=True)
class Meanwhile:
    """The figures of the other requests. Latencies in seconds."""

    name: str
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there is a latency."""

    def add(self, latency: float, *, is_refused: bool) -> None:
        self.failed += is_refused
        self.latencies.append(latency)
        self.answered.set()

    def clear(self) -> None:
        self.failed = 0
        self.latencies.clear()
        self.answered.clear()

    def at(self, share: float) -> float:
        """The percentile in milliseconds."""
        return percentile(sorted(self.latencies) or [0.0], share) * 1000


@dataclass(slots=True)
class Running:
    """The service that runs now; None while it was killed and its successor is not ready."""

    service: Service | None


Runs = dict[str, Meanwhile]
"""The figures of each kind of request."""


def new_runs() -> Runs:
    return {name: Meanwhile(name) for name in ("library page", "heartbeat")}


async def give_games(connection: "asyncpg.Connection[asyncpg.Record]", readers: list[UUID]) -> None:
    """Gives each reader some games."""
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "user_library_items",
        schema_name="library",
        columns=["user_id", "id", "product_id", "added_at", "acquisition_type"],
        records=[(user, uuid4(), uuid4(), now, "purchase") for user in readers for _ in range(_GAMES)],
    )


@asynccontextmanager
async def measured(
    running: Running, platform: StartedPlatform, readers: list[UUID], rate: float
) -> AsyncIterator[Runs]:
    """Sends the requests until the block ends, and each kind is answered once: a short block on a busy machine may see
    none. The figures have no warm-up, in which connections are opened and sessions are started.
    """
    runs = new_runs()
    asking = asyncio.create_task(other_requests(running, platform, readers, rate, runs))
    try:
        await asyncio.sleep(_WARM_UP_SECONDS)
        for one in runs.values():
            one.clear()
        yield runs
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.gather(*(one.answered.wait() for one in runs.values()))
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def without(
    running: Running, platform: StartedPlatform, readers: list[UUID], rate: float, seconds: float
) -> Runs:
    """Measures the requests while the service has nothing else to do: the floor."""
    async with measured(running, platform, readers, rate) as runs:
        await asyncio.sleep(seconds)
    return runs


async def other_requests(
    running: Running, platform: StartedPlatform, readers: list[UUID], rate: float, runs: Runs
) -> None:
    """Reads pages and sends heartbeats on schedule until it is cancelled; while no service is up they are left out."""
    sessions: dict[UUID, str] = {}
    tokens = {user: platform.token(user) for user in readers}
    connections: dict[int, Connections] = {}
    http = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)  # takes 4 ms of CPU time for a request: only for a few

    async def ask(service: Service, run: Meanwhile, due: float, request: bytes) -> None:
        asked = connections.setdefault(service.http_port, Connections(service.http_port))
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                is_refused = not is_success(await asked.ask(request))
        except (OSError, asyncio.IncompleteReadError):
            is_refused = True
        if service is not running.service:
            return  # it was killed meanwhile
        run.add(time.perf_counter() - due, is_refused=is_refused)

    async def one(number: int, due: float) -> None:
        user, service = readers[number % len(readers)], running.service
        if service is None:
            return
        if user not in sessions:
            sessions[user] = await _session(http, service.api, tokens[user])
        elif number % 2:
            path = f"{_API}/playtime/sessions/{sessions[user]}/heartbeat"
            await ask(service, runs["heartbeat"], due, raw("POST", path, tokens[user]))
        else:
            await ask(service, runs["library page"], due, raw("GET", f"{_API}/items", tokens[user]))

    tasks: set[asyncio.Task[None]] = set()
    begin, number = time.perf_counter(), 0
    try:
        while True:
            due = begin + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            task = asyncio.create_task(one(number, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # they use the connections until then
        for asked in connections.values():
            asked.close()
        await http.aclose()


async def _session(http: httpx.AsyncClient, api: str, token: str) -> str:
    """Starts a session of a game of the player, and returns its id."""
    headers = {"Authorization": f"Bearer {token}"}
    owned = (await http.get(f"{api}/items", headers=headers)).json()["data"][0]
    body = {"data": {"attributes": {"product_id": owned["attributes"]["product_id"]}}}
    started = await http.post(f"{api}/playtime/sessions/start", json=body, headers=headers)
    session: str = started.json()["data"]["id"]
    return session


def figures_of(when: str, floor_name: str, during: list[Runs], before: list[Runs]) -> tuple[Figure, ...]:
    """Returns the p95 of each kind of request, of all rounds."""
    return tuple(
        Figure(
            what=f"{name} {when}, p95",
            unit="ms",
            rounds=tuple(runs[name].at(0.95) for runs in during),
            floor_name=floor_name,
            floor=tuple(runs[name].at(0.95) for runs in before),
        )
        for name in during[0]
    )


def show(all_runs: Mapping[str, Runs]) -> None:
    """Shows the figures of each time."""
    table = Table("what", "when", "requests", "p50 ms", "p95 ms", "p99 ms", "failed", box=None, pad_edge=False)
    for when, runs in all_runs.items():
        for one in runs.values():
            at = [f"{one.at(share):.1f}" for share in (0.5, 0.95, 0.99)]
            table.add_row(one.name, when, f"{len(one.latencies):,}", *at, str(one.failed))
    Console(width=100).print(table)
