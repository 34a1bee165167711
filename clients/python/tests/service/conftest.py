"""A real service, and a proxy before it that loses answers, cuts connections and answers itself."""

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from gameshelf.client import LibraryClient, MemoryQueueStore, PlaySession
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port

from .machines import Machine

PURCHASE = "com.platform.payment.purchase.completed.v1"
PRODUCT_UPDATED = "com.platform.catalog.product.updated.v1"


@dataclass
class Fault:
    """Whether the service receives a request, and what the client receives in place of its answer."""

    reaches: bool = True
    status: int | None = None
    """None: the connection is cut."""
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    is_early: bool = False
    """Whether the connection is cut while the service still works."""
    is_stalled: bool = False
    """Whether the connection falls silent in the middle of the request, and stays open."""


class FaultProxy:
    """Speaks HTTP in front of a service. Each request takes the next fault of the list; None and no more: none."""

    def __init__(self, url):
        self.url_behind, self.faults, self.seen, self.statuses = url, deque(), [], []
        self.now = None
        """A function: the time that answers have, instead of the service's."""
        self.pause_per_block = 0.0
        """How long the network takes for 64 KiB of a request, in seconds."""
        self._tasks = set()

    async def __aenter__(self):
        self._client = httpx.AsyncClient(base_url=self.url_behind, timeout=PATIENCE_SECONDS)
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def lose(self, times=1):
        """The service does it, and its answer does not arrive."""
        self.faults.extend([Fault()] * times)

    def cut(self, times=1):
        """The connection ends before the service receives anything."""
        self.faults.extend([Fault(reaches=False)] * times)

    def cut_early(self):
        """The connection ends while the service is still at work."""
        self.faults.append(Fault(is_early=True))

    def stall(self):
        """Nothing arrives any more, and nothing is answered."""
        self.faults.append(Fault(reaches=False, is_stalled=True))

    def answer(self, status, body=b"", *, reaches=False, **headers):
        """Something else answers; with ``reaches`` the service has done it all the same."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(reaches, status, headers, body))

    def refuse(self, status, code="SERVICE_UNAVAILABLE", *, reaches=False, meta=None, **headers):
        """An answer with the envelope of the service."""
        problem = {"code": code, "title": "t", "detail": "no", "meta": meta or {}}
        body = json.dumps({"errors": [problem], "meta": {}}).encode()
        self.answer(status, body, reaches=reaches, Content_Type="application/json", **headers)

    @property
    def keys(self):
        return [headers.get("idempotency-key") for _, _, headers in self.seen]

    @property
    def calls(self):
        return [f"{method} {path}" for method, path, _ in self.seen]

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while await self._pass(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            with suppress(OSError):
                writer.close()

    async def _body(self, reader, size):
        body = bytearray()
        while len(body) < size:
            body += await reader.readexactly(min(65536, size - len(body)))
            await asyncio.sleep(self.pause_per_block)
        return bytes(body)

    async def _forward(self, method, path, headers, body):
        passed = {name: value for name, value in headers.items() if name != "host"}
        answer = await self._client.request(
            method, path, headers={**passed, "accept-encoding": "identity"}, content=body
        )
        self.statuses.append(answer.status_code)
        return answer

    async def _pass(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        self.seen.append((method, path, headers))
        fault = self.faults.popleft() if self.faults else None
        if fault is not None and fault.is_stalled:
            await asyncio.sleep(PATIENCE_SECONDS)
        body = await self._body(reader, int(headers.get("content-length", 0)))
        answer = None
        if fault is not None and fault.is_early:
            task = asyncio.create_task(self._forward(method, path, headers, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return False
        if fault is None or fault.reaches:
            answer = await self._forward(method, path, headers, body)
        if fault is not None and fault.status is None:
            return False
        status = answer.status_code if fault is None else fault.status
        body = answer.content if fault is None else fault.body
        fields = answer.headers.items() if fault is None else fault.headers.items()
        kept = {
            name: value
            for name, value in fields
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        }
        if self.now is not None:
            kept = {name: value for name, value in kept.items() if name.lower() != "date"}
            kept["Date"] = format_datetime(self.now(), usegmt=True)
        length = {} if status in (204, 304) else {"content-length": str(len(body))}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in {**kept, **length}.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return True


class Player:
    """A user with a game."""

    def __init__(self, platform):
        self.platform, self.user, self.product = platform, uuid4(), uuid4()

    @property
    def token(self):
        return self.platform.token(self.user)

    async def buy(self, *products):
        items = [{"productId": str(product)} for product in products or (self.product,)]
        data = {"userId": str(self.user), "orderId": str(uuid4()), "items": items}
        await publish(self.platform.kafka.address, [CloudEvent(PURCHASE, data)])

    async def name(self, *achievements):
        """The Catalog names achievements of the game."""
        described = [{"id": str(uuid4()), "apiName": name} for name in achievements]
        await self._describe(achievements=described)

    async def follow(self, policy):
        """The Catalog says which files of the game are a save."""
        await self._describe(savegamePolicy=policy)

    async def _describe(self, **data):
        event = CloudEvent(PRODUCT_UPDATED, {"productId": str(self.product), **data})
        await publish(self.platform.kafka.address, [event])


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service()
    made.start()
    return made


@pytest.fixture
def player(platform):
    return Player(platform)


@pytest.fixture
def pauses():
    """What was waited for, in seconds. Nobody really waits."""
    return []


@pytest.fixture
def pause(pauses):
    async def note(seconds):
        pauses.append(seconds)
        await asyncio.sleep(0)

    return note


@pytest.fixture
async def proxy(service):
    async with FaultProxy(service.url) as made:
        yield made


@pytest.fixture
def connect(proxy, player, pause):
    """Makes clients of the player, through the proxy."""

    def make(token=None, **options):
        return LibraryClient(f"{proxy.url}/api/v1/library", token or player.token, **{"pause": pause, **options})

    return make


@pytest.fixture
async def store(platform):
    """A proxy before the object store."""
    async with FaultProxy(platform.store["S3_ENDPOINT"]) as made:
        yield made


class StoreTransport(httpx.AsyncHTTPTransport):
    """The addresses of the store are signed, so its proxy is put in its place when they are asked."""

    def __init__(self, store):
        super().__init__()
        self.behind, self.before = httpx.URL(store.url_behind), httpx.URL(store.url)

    async def handle_async_request(self, request):
        if (request.url.host, request.url.port) == (self.behind.host, self.behind.port):
            request.url = request.url.copy_with(host=self.before.host, port=self.before.port)
        return await super().handle_async_request(request)


@pytest.fixture
async def device(connect, store):
    """Makes clients of devices, through both proxies."""
    opened = []

    def make(device_id, timeout=PATIENCE_SECONDS, **options):
        opened.append(httpx.AsyncClient(transport=StoreTransport(store), timeout=timeout))
        return connect(device_id=device_id, http=opened[-1], **options)

    yield make
    for one in opened:
        await one.aclose()


@pytest.fixture
async def client(connect):
    async with connect() as made:
        yield made


@pytest.fixture
async def shared(connect, player, platform):
    """A client whose token becomes another player's as soon as the service has refused it."""
    tokens = deque([player.token, platform.token(uuid4())])
    async with connect(tokens.popleft) as made:
        yield made


@pytest.fixture
async def owned(player, client):
    """The item of a game that the player has bought."""
    await player.buy()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await client.library.list_items().all()):
            await asyncio.sleep(0.05)
    return found[0]


@pytest.fixture
def unused_port():
    return free_port()


@pytest.fixture
def machine(proxy):
    made = Machine()
    proxy.now = lambda: made.time
    return made


@pytest.fixture
def queue(client):
    return client.offline_queue(MemoryQueueStore())


@pytest.fixture
def notices():
    return []


@pytest.fixture
def play(client, owned, player, machine, queue, notices):
    """Makes play sessions on the machine."""

    def make(**options):
        options = {"queue": queue, "on_notice": notices.append, "now": machine.now, "pause": machine.pause, **options}
        playtime = options.pop("playtime", client.playtime)
        return PlaySession(playtime, str(player.product), device_id="deck-7", platform="linux", **options)

    return make


@pytest.fixture
def time_out(platform):
    """Ends a session as the service does after it has received no heartbeat for long."""

    async def make(session_id, seconds):
        connection = await asyncpg.connect(platform.dsn)
        try:
            done = await connection.execute(
                "UPDATE playtime.playtime_sessions SET end_reason = 'timeout', duration_seconds = $2::integer,"
                " end_time = start_time + make_interval(secs => $2::integer) WHERE id = $1",
                UUID(session_id),
                seconds,
            )
            assert done == "UPDATE 1"
        finally:
            await connection.close()

    return make
