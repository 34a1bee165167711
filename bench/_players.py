"""Players behind a load balancer: what they send, what must have come of it, and sockets that resume by cursor."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
from gameshelf.devstack.events import CloudEvent
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

SESSION_SECONDS = 60
_REPEATED = 5
"""Every so many POSTs are sent a second time, with their key: to whichever instance is next."""
_TIMEOUT = 60.0
_PAUSE_SECONDS = 0.005
"""Between two requests of a client, so that instances that start have a part of the machine as well."""
_OLDEST_SESSION = timedelta(days=80)
"""The service takes sessions of the last 90 days."""


@dataclass(slots=True, eq=False)
class Player:
    """A player with one game that is played; what the service has acknowledged."""

    token: str
    id: UUID = field(default_factory=uuid4)
    game: UUID = field(default_factory=uuid4)
    cursor: str = ""
    """Where the feed was before the load."""
    categories: dict[str, str] = field(default_factory=dict)
    """Name → id."""
    sessions: int = 0
    bought: set[UUID] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    """The ids of the messages of the socket."""
    closes: Counter[int | None] = field(default_factory=Counter)
    """The codes with which its socket was closed."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def buys(self, product: UUID) -> CloudEvent:
        self.bought.add(product)
        data = {
            "userId": str(self.id),
            "orderId": f"order-{product}",
            "items": [{"productId": str(product), "productType": "game", "quantity": 1}],
            "purchaseTimestamp": (datetime.now(UTC) - 2 * _OLDEST_SESSION).isoformat(),
        }
        return CloudEvent("com.platform.payment.purchase.completed.v1", data)


class Load:
    """Requests over connections that are kept; each needs the answer that it would have from one instance."""

    def __init__(self, api: str, players: list[Player]) -> None:
        self._api, self._players = api, players
        self._number = count()
        self._first_session = datetime.now(UTC).replace(microsecond=0) - _OLDEST_SESSION
        self.sent = 0
        self.failures: list[str] = []
        self.ended = False

    async def send_until_ended(self, client_number: int) -> None:
        """One client, which sends the next request as soon as it has an answer."""
        actions: tuple[Callable[[httpx.AsyncClient, Player, int], Awaitable[None]], ...] = (
            self._read_items,
            self._make_category,
            self._read_feed,
            self._import_session,
            self._read_playtime,
            self._write_settings,
            self._read_items,
        )
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=self._api, timeout=_TIMEOUT, limits=limits) as http:
            while not self.ended:
                number = next(self._number)
                player = self._players[number % len(self._players)]
                await actions[(number // len(self._players) + client_number) % len(actions)](http, player, number)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def ask(self, http: httpx.AsyncClient, player: Player, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer; None where the request has failed."""
        self.sent += 1
        headers = player.headers | options.pop("headers", {})
        try:
            answer = await http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            self.failures.append(f"{method} {path}: {type(error).__name__} {error}")
            return None
        if answer.status_code not in {200, 201}:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer.json()

    async def _read_items(self, http: httpx.AsyncClient, player: Player, _: int) -> None:
        await self.ask(http, player, "GET", "/items?limit=20")

    async def _read_feed(self, http: httpx.AsyncClient, player: Player, _: int) -> None:
        await self.ask(http, player, "GET", f"/events?cursor={player.cursor}&limit=5")

    async def _read_playtime(self, http: httpx.AsyncClient, player: Player, _: int) -> None:
        await self.ask(http, player, "GET", "/playtime")

    async def _write_settings(self, http: httpx.AsyncClient, player: Player, number: int) -> None:
        body = {"data": {"attributes": {"settings_payload": {"volume": number}}}}
        await self.ask(http, player, "PUT", f"/settings/{player.game}", json=body)

    async def _make_category(self, http: httpx.AsyncClient, player: Player, number: int) -> None:
        name = f"category-{number}"
        body = {"data": {"attributes": {"name": name}}}
        for _ in range(2 if number % _REPEATED == 0 else 1):
            answer = await self.ask(http, player, "POST", "/categories", json=body, headers={"Idempotency-Key": name})
            if answer and player.categories.setdefault(name, answer["data"]["id"]) != answer["data"]["id"]:
                self.failures.append(f"POST /categories: {name} was made twice")

    async def _import_session(self, http: httpx.AsyncClient, player: Player, number: int) -> None:
        """A session of a minute that overlaps no other one; what is sent twice counts once."""
        start = self._first_session + timedelta(seconds=(SESSION_SECONDS + 1) * number)
        one = {
            "client_session_id": str(number),
            "product_id": str(player.game),
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(seconds=SESSION_SECONDS)).isoformat(),
            "device_id": "pc",
        }
        body = {"data": {"attributes": {"sessions": [one]}}}
        expected = ["accepted", "duplicate"]
        for turn in range(2 if number % _REPEATED == 0 else 1):
            answer = await self.ask(http, player, "POST", "/playtime/sessions/import", json=body)
            if answer is None:
                continue
            [result] = [imported["attributes"] for imported in answer["data"]]
            if result["result"] != expected[turn]:
                self.failures.append(f"import of session {number}, sent {turn + 1} times: {result}")
            player.sessions += result["result"] == "accepted"


async def follow(url: str, player: Player, ended: asyncio.Event) -> None:
    """A device of a player: it notes the id of each message, and resumes after the last one when it is cut off."""
    cursor = player.cursor
    while not ended.is_set():
        try:
            async with connect(f"{url}?cursor={cursor}", additional_headers=player.headers) as socket:
                async with closing_when(ended, socket):
                    async for text in socket:
                        message = json.loads(text)
                        if message["event_type"] != "auth.success":
                            player.messages.append(message["id"])
                            cursor = message["id"]
                if not ended.is_set():
                    player.closes[socket.close_code] += 1
        except ConnectionClosed as closed:
            player.closes[closed.rcvd.code if closed.rcvd else None] += 1
        except (OSError, InvalidStatus) as error:
            player.closes[None] += 1
            player.messages.append(f"{type(error).__name__}: {error}")


@asynccontextmanager
async def closing_when(ended: asyncio.Event, socket: Any) -> AsyncIterator[None]:
    async def close() -> None:
        await ended.wait()
        await socket.close()

    task = asyncio.create_task(close())
    try:
        yield
    finally:
        task.cancel()


async def read_feed(http: httpx.AsyncClient, player: Player) -> list[str]:
    """The ids of all messages since the player's cursor."""
    ids: list[str] = []
    cursor, has_more = player.cursor, True
    while has_more:
        answer = await http.get(f"/events?cursor={cursor}&limit=100", headers=player.headers)
        page = answer.raise_for_status().json()
        ids += [entry["id"] for entry in page["data"]]
        has_more = page["meta"]["has_more"]
        cursor = ids[-1] if ids else cursor
    return ids
