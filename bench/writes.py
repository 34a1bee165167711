"""Writes of users: settings and wishes over REST, on both servers, and unlocks over gRPC; beside their floors.

The floor of settings and wishes are bare Quart routes that change the same rows in one statement each, and check
nothing. Requests follow each other on each connection, and the server has a core of its own. Unlocks are sent at fixed
rates, whatever is answered; their floor is the health check of the same process. Each answer has to have added a
message and an event.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import achievements
import asyncpg
from _libraries import Library, seed
from _load import Run, load, percentile
from _serving import SERVERS
from _stack import Stack, on_cores, parser, report, start_bare, started
from gameshelf.devstack.measurements import Figure
from pydantic_core import to_json

BARE = "bare Quart route"
RATES = (500, 1000)
Build = Callable[[int], bytes]


def raw(method: str, path: str, user: UUID, token: str, attributes: dict[str, Any]) -> bytes:
    """A request for the service and for the floor, which reads only who asks."""
    body = to_json({"data": {"attributes": attributes}})
    lines = [
        f"{method} /api/v1/library{path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        f"Bench-User: {user}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Bench:
    """The services and their floors on one set of servers."""

    def __init__(self, stack: Stack, options: argparse.Namespace) -> None:
        self.stack, self.options = stack, options
        self.libraries = [Library() for _ in range(options.users)]
        asyncio.run(seed(stack.platform.dsn, self.libraries))
        self.tokens = [stack.platform.token(library.user) for library in self.libraries]
        self.ports: dict[str, int] = {}
        self.wrong: list[str] = []
        # One count for all runs: settings that are as the run before has left them would change nothing.
        self.numbers = count()
        for server in SERVERS:
            service = stack.platform.service(LIBRARY_SERVICE_ROLES="api", LIBRARY_SERVICE_SERVER=server)
            with on_cores(0):
                service.start()
                _, port = start_bare(stack.directory, "_bare_writes.py", server, stack.platform.dsn)
            self.ports |= {f"{server} {BARE}": port, server: service.http_port}

    def settings(self, number: int) -> bytes:
        """Other settings of the next user's first game."""
        turn, user = divmod(number, len(self.libraries))
        library = self.libraries[user]
        payload = {"volume": turn, "keys": {"jump": "Space", "run": "Shift"}, "language": "ru", "subtitles": True}
        attributes = {"settings_payload": payload}
        return raw("PUT", f"/settings/{library.products[0]}", library.user, self.tokens[user], attributes)

    def wish(self, number: int) -> bytes:
        """A product that the next user has not wished for."""
        user = number % len(self.libraries)
        attributes = {"product_id": str(uuid4())}
        return raw("POST", "/wishlist/items", self.libraries[user].user, self.tokens[user], attributes)

    def compare(self, what: str, build: Build) -> tuple[Figure, ...]:
        """Each server and each floor in turn."""
        found: dict[str, list[Run]] = {name: [] for name in self.ports}
        for turn in range(-1, self.options.rounds):
            for name in list(self.ports)[:: 1 if turn % 2 else -1]:
                run = self._run(name, build)
                if turn >= 0:  # connections are opened and statements prepared before it counts
                    found[name].append(run)
        return tuple(
            Figure(
                what=f"{what}, {server.title()}",
                unit="requests/s",
                rounds=tuple(run.a_second for run in found[server]),
                floor_name=BARE,
                floor=tuple(run.a_second for run in found[f"{server} {BARE}"]),
            )
            for server in SERVERS
        )

    def _run(self, name: str, build: Build) -> Run:
        asyncio.run(self._empty())
        with on_cores(1):
            run = load(self.ports[name], map(build, self.numbers), self.options.connections, self.options.seconds)
        if run.failed:
            self.wrong.append(f"{name}: {run.failed} of {run.answered} failed")
        for table, added in asyncio.run(self._added()).items():
            if added != run.answered - run.failed:
                self.wrong.append(f"{name}: {added} rows in {table} after {run.answered} answers")
        return run

    async def _empty(self) -> None:
        """Each run begins with the same tables."""
        connection = await asyncpg.connect(self.stack.platform.dsn)
        await connection.execute("TRUNCATE gateway.feed, gateway.outbox, wishlist.wishlist_items")
        await connection.execute("VACUUM ANALYZE gateway.user_streams, settings.game_specific_settings")
        await connection.close()

    async def _added(self) -> dict[str, int]:
        connection = await asyncpg.connect(self.stack.platform.dsn)
        tables = ("gateway.feed", "gateway.outbox")
        added = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
        await connection.close()
        return added

    def unlocks(self) -> tuple[Figure, ...]:
        """Latencies at each rate."""
        service = self.stack.platform.service(LIBRARY_SERVICE_ROLES=achievements.ROLES)
        with on_cores(0):
            service.start()
        made = []
        for rate in self.options.rates:
            calls, unlocks, refused = [], [], 0
            for _ in range(self.options.rounds):
                with on_cores(1):
                    play = achievements.play(service.grpc, self.stack.platform, rate, self.options.seconds)
                    (call, unlock), miscounted = asyncio.run(play)
                calls.append(p99(call))
                unlocks.append(p99(unlock))
                refused += unlock.failed  # by a service that has more calls than it can hold
                if miscounted or unlock.unlocked + unlock.failed != len(unlock.latencies):
                    self.wrong.append(f"unlock: {unlock.unlocked} unlocked, {miscounted} counters are wrong")
            made.append(
                Figure(
                    what=f"unlock at {rate}/s, p99",
                    unit="ms",
                    rounds=tuple(unlocks),
                    floor_name="health check",
                    floor=tuple(calls),
                    remark=f"{refused} refused" if refused else "",
                )
            )
        return tuple(made)


def p99(run: achievements.Run) -> float:
    """In milliseconds."""
    return percentile(sorted(run.latencies), 0.99) * 1000


def main() -> None:
    options_of = parser("writes", __doc__, of_versions=True)
    options_of.add_argument("--users", type=int, default=100, help="users who write in turn (100)")
    options_of.add_argument("--connections", type=int, default=32, help="requests in flight (32)")
    options_of.add_argument("--seconds", type=float, default=4, help="length of a run (4)")
    options_of.add_argument("--rates", type=int, nargs="*", default=RATES, help="unlocks a second (500 1000)")
    options = options_of.parse_args()
    with started(checkout=options.checkout) as stack:
        bench = Bench(stack, options)
        figures = (
            *bench.compare("PUT /settings", bench.settings),
            *bench.compare("POST /wishlist/items", bench.wish),
            *bench.unlocks(),
        )
    report(figures, options.json)
    if bench.wrong:
        sys.exit("\n".join(bench.wrong[:10]))


if __name__ == "__main__":
    main()
