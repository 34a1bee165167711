"""The client itself."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx
from gameshelf.client import operations
from gameshelf.client.etags import EtagStore, MemoryEtagStore
from gameshelf.client.groups import AnyId
from gameshelf.client.live import LiveUpdates, address_of_updates
from gameshelf.client.offline import PlayQueue
from gameshelf.client.playing import NoticeHandler, PlaySession
from gameshelf.client.queue_stores import QueueStore
from gameshelf.client.retries import RetryRules
from gameshelf.client.saves.saves_group import SavesGroup
from gameshelf.client.saves.store import TransferStore
from gameshelf.client.settings import SettingsGroup
from gameshelf.client.tokens import TokenProvider, TokenSource
from gameshelf.client.transport import PauseFor, Transport, check_address

TIMEOUT = httpx.Timeout(60, connect=10)


class LibraryClient:
    """The calls of one user, grouped by domain: ``async with LibraryClient(url, token) as client``.

    Calls may be made at the same time. A call that is cancelled ends at once; what it has sent may be applied.
    """

    def __init__(
        self,
        base_url: str,
        token: TokenProvider,
        *,
        language: str | None = None,
        device_id: str | None = None,
        client_id: str | None = None,
        client_version: str | None = None,
        retries: RetryRules | None = None,
        etags: EtagStore | None = None,
        http: httpx.AsyncClient | None = None,
        pause: PauseFor = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``base_url`` is the address of the API, such as ``https://library.example/api/v1/library``.

        ``language`` is that of the texts for people, by default the service's. ``device_id`` is the id of this device,
        for its saves and sessions. ``client_id`` comes back as ``origin`` in the messages that this client's changes
        cause; by default it is a random one. ``http`` stays the caller's, with its limits, proxies and
        certificates; it sends to the object store as well. ``pause`` and ``clock`` are for tests.

        Raises ValueError for an address that is not one of HTTP, and for a token or an id that cannot be sent.
        """
        self.client_id = client_id or str(uuid4())
        headers = {"Accept-Language": language, "X-Client-Id": self.client_id, "X-Client-Version": client_version}
        check_address(base_url)
        self._http = http if http is not None else httpx.AsyncClient(timeout=TIMEOUT)
        self._owns_http, self._device_id = http is None, device_id
        self._tokens, self._pause, self._clock = TokenSource(token), pause, clock
        self._live_address = address_of_updates(base_url)
        self._transport = Transport(
            self._http,
            self._tokens,
            base_url=base_url,
            headers={name: value for name, value in headers.items() if value is not None},
            rules=retries or RetryRules(),
            etags=MemoryEtagStore() if etags is None else etags,
            pause=pause,
            clock=clock,
        )
        self.home = operations.HomeCalls(self._transport)
        self.library = operations.LibraryCalls(self._transport)
        self.family = operations.FamilyCalls(self._transport)
        self.playtime = operations.PlaytimeCalls(self._transport)
        self.achievements = operations.AchievementsCalls(self._transport)
        self.wishlist = operations.WishlistCalls(self._transport)
        self.settings = SettingsGroup(self._transport)
        store = TransferStore(self._http, pause, retries or RetryRules())
        self.saves = SavesGroup(self._transport, store, device_id)
        self.events = operations.EventsCalls(self._transport)

    def live_updates(self, cursor: str | None = None, *, ping_seconds: float = 20.0) -> LiveUpdates:
        """The changes of the user's library as they are made, after a cursor or from now on.

        ``async with client.live_updates(cursor) as updates: async for message in updates``. ``updates.cursor`` is
        where another process continues.
        """
        return LiveUpdates(
            self._live_address,
            self._tokens,
            cursor,
            ping_seconds=ping_seconds,
            returns=self._transport.returns,
            pause=self._pause,
            clock=self._clock,
        )

    def offline_queue(self, store: QueueStore) -> PlayQueue:
        """Sessions and achievements of this user that wait for the network."""
        return PlayQueue(self.playtime, self.achievements, store, tokens=self._tokens)

    def play(
        self,
        product_id: AnyId,
        *,
        device_id: str | None = None,
        platform: str | None = None,
        queue: PlayQueue | None = None,
        on_notice: NoticeHandler | None = None,
        heartbeat_seconds: float = 60.0,
    ) -> PlaySession:
        """A session of a game: ``async with client.play(…)``. It sends heartbeats as long as the block runs.

        With ``queue`` a game that cannot reach the service is played all the same, and counted later.
        ``heartbeat_seconds`` is the service's PLAYTIME_HEARTBEAT_INTERVAL_SECONDS. Entering raises LibraryRefusal where
        the player may not play, such as FAMILY_SEAT_BUSY.
        """
        device_id = device_id or self._device_id
        if device_id is None:
            raise TypeError("a session needs a device_id: of the call, or of the client")
        return PlaySession(
            self.playtime,
            str(product_id),
            device_id=device_id,
            platform=platform,
            queue=queue,
            on_notice=on_notice,
            heartbeat_seconds=heartbeat_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections, if they are its own."""
        if self._owns_http:
            await self._http.aclose()
