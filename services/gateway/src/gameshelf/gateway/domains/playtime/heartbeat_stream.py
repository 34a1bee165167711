"""Serves ``StreamPlaytimeHeartbeats``: messages join the current batch, and are acknowledged with it.

Reading and acknowledging are concurrent. The number of unacknowledged heartbeats is bounded: a stream that sends faster
than Redis accepts is not read any further, and gRPC's flow control slows down its sender.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from gameshelf.gateway.domains.playtime.heartbeats import Batch, Heartbeats, seat_lost
from gameshelf.gateway.domains.playtime.live_sessions import Member, session_key
from gameshelf.gateway.runtime.errors import RateLimitExceeded, ServiceUnavailable
from gameshelf.gateway.runtime.identity import Identity, InvalidCredentials, Role, TokenVerifier
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.ws.hub import Hub, Subscriber
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError, InvalidInput, PermissionDenied, Problem
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages

MAX_HEARTBEATS = 1000
"""Maximum number of heartbeats in a message."""
MAX_UNACKNOWLEDGED = 20_000
"""Maximum number of unacknowledged heartbeats of a stream; a message without any counts as one."""
_MAX_ECHO = 64
"""A refusal repeats at most this number of characters of an invalid id."""
LEEWAY = timedelta(seconds=30)
MAX_OF_PLAYER = 32
"""Maximum number of streams per player and instance."""
MAX_OF_SERVICE = 2000
"""Maximum number of streams per service and instance; each instance of the service has one, for many players."""
_RETRY_AFTER_SECONDS = 60

Request = messages.StreamPlaytimeHeartbeatsRequest
Response = messages.StreamPlaytimeHeartbeatsResponse


@dataclass(slots=True)
class _Sent:
    """Messages that joined one batch, up to this sequence number."""

    batch: Batch
    sequence: int
    weight: int
    """The number of their heartbeats, including refused ones."""
    members: list[Member]
    refusals: list[messages.HeartbeatRefusal]
    """Heartbeats that were refused before they joined the batch."""
    notices: list[messages.SeatNotice]
    """Sessions among them whose copy the owner wants back."""


class HeartbeatStream:
    """Serves one stream of one caller."""

    def __init__(
        self,
        caller: Identity,
        heartbeats: Heartbeats,
        verifier: TokenVerifier,
        limits: RateLimits,
        hub: Hub,
        stopping: asyncio.Event,
        clock: Clock = utc_now,
    ) -> None:
        self._caller = caller
        self._is_service = Role.SERVICE in caller.roles
        self._heartbeats = heartbeats
        self._verifier = verifier
        self._limits = limits
        self._hub = hub
        self._stopping = stopping
        self._clock = clock
        self._sent: deque[_Sent] = deque()
        self._unacknowledged = 0
        self._moved = asyncio.Event()
        self._all_read = False
        self._expires_at = caller.expires_at

    async def serve(self, requests: AsyncIterator[Request], write: Callable[[Response], Awaitable[None]]) -> None:
        """Serves until the caller has ended the stream and everything is acknowledged.

        Raises Unauthenticated when the token expires or the account is erased, ServiceUnavailable when this instance
        stops, InvalidInput, RateLimitExceeded (also for one stream too many).
        """
        if self._hub.streams(self._caller.user_id) >= (MAX_OF_SERVICE if self._is_service else MAX_OF_PLAYER):
            raise RateLimitExceeded(_RETRY_AFTER_SECONDS)
        subscriber = Subscriber(self._caller.user_id, reads=False)
        self._hub.add_subscriber(subscriber)
        acknowledging = asyncio.ensure_future(self._acknowledge(write))
        parts = {
            acknowledging,
            asyncio.ensure_future(self._read(requests)),
            asyncio.ensure_future(self._watch_token()),
            asyncio.ensure_future(_end_with(subscriber.over, InvalidCredentials("the account was erased"))),
            asyncio.ensure_future(_end_with(self._stopping, ServiceUnavailable("instance"))),
        }
        try:
            running = parts
            while acknowledging in running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for part in done:
                    part.result()
        finally:
            self._hub.remove_subscriber(subscriber)
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[Request]) -> None:
        async for request in requests:
            if request.token:
                await self._renew(request.token)
            if not self._is_service:
                await self._limits.of_user(self._caller.user_id)
            await self._take(request)
            while self._unacknowledged > MAX_UNACKNOWLEDGED:
                await self._until_moved()
        self._all_read = True
        self._moved.set()

    async def _take(self, request: Request) -> None:
        if len(request.heartbeats) > MAX_HEARTBEATS:
            raise InvalidInput(Problem("too_long", pointer="heartbeats", params={"max_length": MAX_HEARTBEATS}))
        members: list[Member] = []
        refusals: list[messages.HeartbeatRefusal] = []
        notices: list[messages.SeatNotice] = []
        for heartbeat in request.heartbeats:
            try:
                members.append(self._member(heartbeat))
            except (ValueError, PermissionDenied) as error:
                reason = PermissionDenied.code if isinstance(error, PermissionDenied) else InvalidInput.code
                user_id, session_id = heartbeat.user_id[:_MAX_ECHO], heartbeat.session_id[:_MAX_ECHO]
                refusals.append(messages.HeartbeatRefusal(user_id=user_id, session_id=session_id, reason=reason))
        if self._heartbeats.lost_seats:
            members = await self._without_lost(members, refusals, notices)
        batch = self._heartbeats.add_heartbeats(members)
        weight = max(len(request.heartbeats), 1)
        self._unacknowledged += weight
        if self._sent and self._sent[-1].batch is batch:
            newest = self._sent[-1]
            newest.sequence = request.sequence
            newest.weight += weight
            newest.members += members
            newest.refusals += refusals
            newest.notices += notices
        else:
            self._sent.append(_Sent(batch, request.sequence, weight, members, refusals, notices))
            self._moved.set()

    async def _without_lost(
        self,
        members: list[Member],
        refusals: list[messages.HeartbeatRefusal],
        notices: list[messages.SeatNotice],
    ) -> list[Member]:
        """Returns the sessions that may continue. Refuses those that lost their seat, and notifies those that will."""
        continuing, now = [], self._clock()
        for one in members:
            lost_at = self._heartbeats.lost_seats.until(one)
            if lost_at is not None and await self._heartbeats.lost_seats.is_over(one, now):
                refusals.append(_refusal(one, seat_lost(lost_at)))
                continue
            continuing.append(one)
            if lost_at is not None:
                key = session_key(one)
                notice = messages.SeatNotice(user_id=str(key.user_id), session_id=str(key.session_id))
                notice.lost_at.FromDatetime(lost_at)
                notices.append(notice)
        return continuing

    def _member(self, heartbeat: messages.PlaytimeHeartbeat) -> Member:
        """Raises ValueError for an invalid id, PermissionDenied for another user's."""
        if not heartbeat.user_id and not self._is_service:
            user = self._caller.user_id.bytes
        else:
            user = _uuid_bytes(heartbeat.user_id)
            if not self._is_service and user != self._caller.user_id.bytes:
                raise PermissionDenied
        return user + _uuid_bytes(heartbeat.session_id)

    async def _acknowledge(self, write: Callable[[Response], Awaitable[None]]) -> None:
        while True:
            while not self._sent:
                if self._all_read:
                    return
                await self._until_moved()
            sent = self._sent[0]
            refusals = await sent.batch.refusals(sent.members)
            self._sent.popleft()
            refused = [*sent.refusals, *(_refusal(one, error) for one, error in refusals.items())]
            await write(Response(acknowledged_sequence=sent.sequence, refusals=refused, seat_notices=sent.notices))
            self._unacknowledged -= sent.weight  # only now: a client that does not read must not be read, either
            self._moved.set()

    async def _until_moved(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _renew(self, token: str) -> None:
        fresh = await self._verifier.verify(token)
        if fresh.user_id != self._caller.user_id or not fresh.roles >= self._caller.roles:
            raise InvalidCredentials("the token has another user or fewer roles")
        self._expires_at = fresh.expires_at

    async def _watch_token(self) -> None:
        while self._expires_at is not None:
            left = (self._expires_at + LEEWAY - self._clock()).total_seconds()
            if left <= 0:
                raise InvalidCredentials("the token has expired")
            await asyncio.sleep(left)


async def _end_with(event: asyncio.Event, reason: Exception) -> None:
    await event.wait()
    raise reason


def _uuid_bytes(text: str) -> bytes:
    """Parses a UUID in its usual form to 16 bytes, several times as fast as ``UUID``. Raises ValueError."""
    found = bytes.fromhex(text.replace("-", ""))
    if len(text) != 36 or len(found) != 16 or not text[8] == text[13] == text[18] == text[23] == "-":
        raise ValueError("not the usual form of a UUID")
    return found


def _refusal(one: Member, error: DomainError) -> messages.HeartbeatRefusal:
    key = session_key(one)
    refusal = messages.HeartbeatRefusal(user_id=str(key.user_id), session_id=str(key.session_id), reason=error.code)
    if "end_time" in error.meta:
        refusal.end_time.FromDatetime(error.meta["end_time"])
        refusal.end_reason = error.meta["end_reason"]
    return refusal
