"""Fixtures that the gateway's tests share: clients of a running service, and events of other services."""

import asyncio
import copy
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import httpx
import jsonschema_rs
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, Service, StartedPlatform
from gameshelf.devstack.servers.kafka import PARTITIONS
from gameshelf.devstack.statements import PACKAGES, across_users, tables
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.gateway import Gateway
from gameshelf.gateway.wiring import build
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"
SCHEMAS = Path(__file__).parents[3] / "protos" / "schemas"
OWN_TOPICS = {
    "com.platform.library.events.v1": lambda document: f"events/{document['type']}",
    "com.platform.library.dlq.v1": lambda document: "events/com.platform.library.dlq.v1",
}

# In this order, and not as one statement: marks become outdated links, and an owner's marks may be on another shard.
OWNERS = "SELECT owner_user_id FROM library.family_memberships WHERE user_id = $1"
NO_MARKS = "SELECT NOT EXISTS (SELECT 1 FROM library.share_changes WHERE owner_user_id = ANY ($1))"
NONE_OUTDATED = """
SELECT NOT EXISTS (
    SELECT FROM library.family_memberships WHERE user_id = $1
        AND products_as_of IS DISTINCT FROM updated_at AND (status = 'active' OR products_since IS NOT NULL))
"""


@cache
def validator(name: str) -> Any:
    """Checks a message against its schema, and that the schema describes every field that is there."""
    resources = {
        f"schemas:/{path.relative_to(SCHEMAS).as_posix()}": json.loads(path.read_text())
        for path in SCHEMAS.rglob("*.json")
    }
    uri = f"schemas:/{name}.json"
    resources[uri] = copy.deepcopy(resources[uri])
    for described in objects_in(resources[uri]):
        described["unevaluatedProperties"] = False
    registry = jsonschema_rs.Registry(list(resources.items()))
    return jsonschema_rs.validator_for({"$ref": uri}, registry=registry, validate_formats=True)


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    """The parts of a schema that list properties."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from objects_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects_in(part)


def conforming(name: str, document: Any) -> Any:
    """The document, which must be as ``protos/schemas`` says."""
    wrong = [f"{error.instance_path}: {error.message}" for error in validator(name).iter_errors(document)]
    assert not wrong, f"{name}: {wrong} in {document}"
    return document


class Player:
    """A user of the service, with a token and a way to ask."""

    def __init__(self, platform: StartedPlatform, service: Service, user_id: UUID | None = None) -> None:
        self.id = user_id or uuid4()
        self.platform = platform
        self.token = platform.token(self.id)
        self.http = httpx.AsyncClient(
            base_url=service.api, headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE_SECONDS
        )

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        response = await self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        document = response.json()
        if path == "/events":
            for entry in document["data"]:
                message = {"id": entry["id"], **entry["attributes"]}
                conforming(f"messages/{message['event_type']}", message)
        return document

    async def post(self, path: str, attributes: Any = None, **headers: str) -> httpx.Response:
        return await self.http.post(path, json={"data": {"attributes": attributes or {}}}, headers=headers)

    async def patch(self, path: str, attributes: Any) -> httpx.Response:
        return await self.http.patch(path, json={"data": {"attributes": attributes}})

    async def products(self) -> set[str]:
        """The products in the library."""
        return {item["attributes"]["product_id"] for item in (await self.get("/items", limit=100))["data"]}

    async def saved_bytes(self) -> tuple[int, int]:
        """Used and reserved bytes of cloud saves."""
        quota = (await self.get("/savegames/quota"))["data"]["attributes"]
        return quota["used_bytes"], quota["reserved_bytes"]

    async def buys(self, *products: UUID, order: str | None = None, **more: Any) -> CloudEvent:
        """The Payment service says that the player has bought these."""
        event = purchase(self.id, *products, order=order, **more)
        await self.publish(event)
        return event

    async def keeps_shares(self) -> None:
        """Waits until the player keeps what others share with them now."""
        connection = await asyncpg.connect(self.platform.dsn)

        async def keeps() -> bool:
            owners = [row["owner_user_id"] for row in await connection.fetch(OWNERS, self.id)]
            # Citus refuses an empty list of users.
            is_marked = bool(owners) and not await connection.fetchval(NO_MARKS, owners)
            return not is_marked and bool(await connection.fetchval(NONE_OUTDATED, self.id))

        try:
            await until(keeps)
        finally:
            await connection.close()

    async def publish(self, *events: CloudEvent) -> None:
        """Publishes events as other services do."""
        await publish(self.platform.kafka.address, events)


def purchase(user_id: UUID, *products: UUID, order: str | None = None, **more: Any) -> CloudEvent:
    items = [{"productId": str(product), "productType": "game", "quantity": 1} for product in products]
    data = {"userId": str(user_id), "orderId": order or f"order-{uuid4()}", "items": items, **more}
    return CloudEvent("com.platform.payment.purchase.completed.v1", data)


async def until(check: Callable[[], Awaitable[Any]], seconds: float = PATIENCE_SECONDS) -> Any:
    """Waits for the truth of something that is on its way; its value."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (value := await check()):
        assert asyncio.get_running_loop().time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.05)
    return value


async def read_topic(platform: StartedPlatform, topic: str, enough: Callable[[list[Any]], Any]) -> list[Any]:
    """A topic's records from its beginning, until there are enough of them.

    The embedded broker's end offsets point at the beginning of the last batch, so an end can't be asked for.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address)
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    records: list[Any] = []
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    try:
        while not enough(records):
            assert asyncio.get_running_loop().time() < deadline, f"{len(records)} records of {topic} are not enough"
            for batch in (await consumer.getmany(timeout_ms=300, max_records=5000)).values():
                records += batch
                if topic in OWN_TOPICS:
                    for record in batch:
                        document = json.loads(record.value)
                        conforming(OWN_TOPICS[topic](document), document)
    finally:
        await consumer.stop()
    return records


@pytest.fixture
async def connection(platform: StartedPlatform) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database of the module's platform."""
    opened = await asyncpg.connect(platform.dsn)
    yield opened
    await opened.close()


@pytest.fixture
async def new_player(platform: StartedPlatform, service: Service) -> AsyncIterator[Callable[[], Player]]:
    """Makes players of the module's service, or of another one."""
    players: list[Player] = []

    def make(of: StartedPlatform = platform, at: Service = service, user_id: UUID | None = None) -> Player:
        players.append(Player(of, at, user_id))
        return players[-1]

    yield make
    for player in players:
        await player.http.aclose()


@pytest.fixture
def player(new_player: Callable[[], Player]) -> Player:
    """A player who owns nothing yet."""
    return new_player()


@pytest.fixture
def caller(platform: StartedPlatform) -> Callable[..., Any]:
    """The metadata of a gRPC caller with these roles, whose token lives for so many seconds."""

    def of(user_id: UUID, *roles: str, ttl: float = 600) -> Any:
        token = platform.issuer.issue(str(user_id), roles or ("user",), ttl=ttl)
        return (("authorization", f"Bearer {token}"),)

    return of


@pytest.fixture(scope="session")
def refusal() -> Callable[..., Awaitable[tuple[str, str]]]:
    """The status and the reason of a gRPC call that must be refused."""

    async def of(call: Any) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as error:
            await call
        info = ErrorInfo()
        assert rpc_status.from_call(error.value).details[0].Unpack(info)
        assert info.domain == "library.platform"
        return error.value.code().name, info.reason

    return of


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Awaitable[Any]]:
    return until


@pytest.fixture(scope="session")
def next_message() -> Callable[..., Awaitable[Any]]:
    """The next message of a WebSocket, which must be as its schema says. What each connection begins with is passed
    over unless ``greeting`` asks for it.
    """

    async def receive(socket: Any, *, greeting: bool = False) -> Any:
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))
            conforming(f"messages/{message['event_type']}", message)
            if greeting or message["event_type"] != "auth.success":
                return message

    return receive


@pytest.fixture(scope="session")
def conforms() -> Callable[[str, Any], Any]:
    return conforming


@pytest.fixture(scope="session")
def purchase_of() -> Callable[..., CloudEvent]:
    return purchase


@pytest.fixture(scope="session")
def read_records() -> Callable[..., Awaitable[list[Any]]]:
    return read_topic


@cache
def keys_of_users() -> dict[str, str | None]:
    """Every table with the column of its users."""
    return {name: key for package in PACKAGES for name, key in tables(package).items()}


class Measured:
    """A player's calls of an application in this process, and how many statements each has cost."""

    def __init__(self, gateway: Gateway, client: httpx.AsyncClient) -> None:
        self.gateway, self.client = gateway, client
        self.statements: list[str] = []
        self.values: list[Sequence[Any]] = []
        """The values of each of the statements."""
        self._take_connection = gateway.database.take_connection
        self._watched: set[Any] = set()
        gateway.database.take_connection = self.take_connection  # type: ignore[method-assign]

    async def take_connection(self) -> Any:
        connection = await self._take_connection()
        inner = connection._con
        if inner not in self._watched:
            self._watched.add(inner)
            connection.add_query_logger(self._note)
        return connection

    def _note(self, query: Any) -> None:
        # A connection asks once what a type is, and is prepared once for a statement.
        if "typeinfo" not in query.query and "'jit'" not in query.query:
            self.statements.append(query.query)
            self.values.append(query.args or ())

    async def count(self, call: Awaitable[Any]) -> tuple[Any, int]:
        """The result of a call, and the number of round trips."""
        await asyncio.sleep(0)  # what was done before is noted in the next round of the loop
        self.statements.clear()
        self.values.clear()
        result = await call
        await asyncio.sleep(0)
        return result, len(self.statements)

    async def cost(
        self,
        method: str,
        path: str,
        attributes: Any = None,
        status: int = 200,
        *,
        is_of_one_user: bool = True,
        **more: Any,
    ) -> tuple[httpx.Response, int]:
        """The answer to a request, and the number of round trips. Each statement has to be ``is_of_one_user``."""
        sent = {} if attributes is None else {"json": {"data": {"attributes": attributes}}}
        answer, cost = await self.count(self.client.request(method, path, **sent, **more))
        assert answer.status_code == status, (method, path, answer.text)
        for statement, values in zip(self.statements, self.values, strict=True):
            across = across_users(statement, values, keys_of_users())
            assert across == [] or not is_of_one_user, f"{method} {path}: rows of several users"
        return answer, cost


@pytest.fixture
def measured_of() -> Callable[[Gateway], Measured]:
    """Counts the statements of an application in this process, which nobody calls."""
    return lambda gateway: Measured(gateway, httpx.AsyncClient())


@pytest.fixture
async def measured(platform: StartedPlatform, service: Service, player: Player) -> AsyncIterator[Measured]:
    """Calls of the player, whom the running service knows as well."""
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="api").environment))
    transport = httpx.ASGITransport(app=gateway.app())
    headers = {"Authorization": f"Bearer {player.token}"}
    base = "http://localhost/api/v1/library"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        yield Measured(gateway, client)
    await gateway.close()


@pytest.fixture(scope="session")
def documented() -> dict[str, int]:
    """The first number of round trips in each row of the table in ``docs/architecture.md``, by the row's call."""
    text = ARCHITECTURE.read_text(encoding="utf-8").partition("| request |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| (\d+)\b.* \|$", text, re.MULTILINE)
    return {label: int(number) for label, number in rows}
