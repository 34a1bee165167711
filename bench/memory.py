"""Memory of one process with every role under ten minutes of mixed load: pages, categories, sockets and purchases.

Pages and categories are sent on a schedule, purchases come from the broker, and each user has a socket that reads what
it gets. The resident memory is read every second. The floor is the memory before the load.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from _broker import send, sending
from _libraries import Library, seed
from _load import Run, paced
from _stack import Stack, parser, report, started
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import Service
from library import request
from purchases import PURCHASE
from pydantic_core import to_json
from websockets.asyncio.client import ClientConnection, connect

BASE = "/api/v1/library"


def category(token: str, name: str) -> bytes:
    body = to_json({"data": {"attributes": {"name": name}}})
    lines = [f"POST {BASE}/categories HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def resident_mib(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


class Bench:
    """One service under load."""

    def __init__(self, stack: Stack, service: Service, options: argparse.Namespace) -> None:
        self.stack, self.service, self.options = stack, service, options
        self.libraries = [Library() for _ in range(options.sockets)]
        self.messages = 0
        self.memory: list[float] = []
        self.before = 0.0
        self.runs: list[Run] = []

    async def play(self) -> None:
        await seed(self.stack.platform.dsn, self.libraries)
        tokens = [self.stack.platform.token(library.user) for library in self.libraries]
        assert self.service.process is not None
        pid, seconds = self.service.process.pid, self.options.seconds
        self.before = resident_mib(pid)
        pages = [request(tokens[one % len(tokens)], "") for one in range(int(self.options.pages * seconds))]
        categories = [
            category(tokens[one % len(tokens)], f"category {one}")
            for one in range(int(self.options.categories * seconds))
        ]
        async with AsyncExitStack() as open_sockets:
            reading = []
            for token in tokens:
                socket = await open_sockets.enter_async_context(
                    connect(self.service.ws, additional_headers={"Authorization": f"Bearer {token}"})
                )
                reading.append(asyncio.create_task(self._read(socket)))
            watching = asyncio.create_task(self._watch(pid))
            *self.runs, _ = await asyncio.gather(
                paced(self.service.http_port, pages, self.options.pages),
                paced(self.service.http_port, categories, self.options.categories),
                self._buy(),
            )
            watching.cancel()
            for task in reading:
                task.cancel()

    async def _read(self, socket: ClientConnection) -> None:
        async for _ in socket:
            self.messages += 1

    async def _watch(self, pid: int) -> None:
        while True:
            self.memory.append(resident_mib(pid))
            await asyncio.sleep(1)

    async def _buy(self) -> None:
        """A second's purchases at a time, of the users who have the sockets."""
        async with sending(self.stack.platform.kafka.address) as producer:
            for turn in range(int(self.options.seconds)):
                bought = []
                for one in range(self.options.purchases):
                    user = self.libraries[(turn * self.options.purchases + one) % len(self.libraries)].user
                    items = [{"productId": str(uuid4()), "productType": "game", "quantity": 1}]
                    facts = {"userId": str(user), "orderId": f"order-{uuid4()}", "items": items}
                    bought.append(CloudEvent(PURCHASE, facts))
                await asyncio.gather(send(producer, bought[0].topic, bought), asyncio.sleep(1))

    def figures(self) -> tuple[Figure, ...]:
        quarter = max(len(self.memory) // 4, 1)
        name = "before the load"
        return (
            Figure(
                what="memory, at most",
                unit="MiB",
                rounds=(max(self.memory),),
                floor_name=name,
                floor=(self.before,),
            ),
            Figure(
                what="memory, last quarter of the time",
                unit="MiB",
                rounds=tuple(self.memory[-quarter:]),
                floor_name="third quarter",
                floor=tuple(self.memory[-2 * quarter : -quarter] or self.memory[-quarter:]),
                remark="flat where the share is 1.00",
            ),
        )


def main() -> None:
    options_of = parser("memory", __doc__, rounds=1, of_versions=True)
    options_of.add_argument("--seconds", type=float, default=600, help="length of the load (600)")
    options_of.add_argument("--sockets", type=int, default=100, help="users, each with a socket (100)")
    options_of.add_argument("--pages", type=float, default=50, help="pages a second (50)")
    options_of.add_argument("--categories", type=float, default=5, help="new categories a second (5)")
    options_of.add_argument("--purchases", type=int, default=50, help="purchases a second (50)")
    options = options_of.parse_args()
    with started(checkout=options.checkout) as stack:
        service = stack.platform.service(LOG_LEVEL="WARNING")
        service.start()
        bench = Bench(stack, service, options)
        asyncio.run(bench.play())
    report(bench.figures(), options.json)
    failed = sum(run.failed for run in bench.runs)
    print(f"{sum(run.answered for run in bench.runs):,} answers, {bench.messages:,} messages, {failed} failed")
    if failed or not bench.messages:
        sys.exit(1)


if __name__ == "__main__":
    main()
