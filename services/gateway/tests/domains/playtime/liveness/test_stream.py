"""A stream whose caller does not read the answers: the number that is kept for it is bounded."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from gameshelf.gateway.domains.playtime.heartbeat_stream import MAX_UNACKNOWLEDGED, HeartbeatStream, Request
from gameshelf.gateway.runtime.identity import Identity, Role
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages

MESSAGES = 200
EACH = 1000


@pytest.mark.parametrize("bad", ["not an id", "x" * 1000], ids=["refused", "long"])
async def test_a_caller_who_does_not_read_is_not_read_any_further(world, bad):
    """Refusals of malformed heartbeats wait to be read like all others."""
    taken, written, blocked = 0, [], asyncio.Event()

    async def requests():
        nonlocal taken
        for taken in range(1, MESSAGES + 1):
            yield Request(sequence=taken, heartbeats=[messages.PlaytimeHeartbeat(user_id=bad, session_id=bad)] * EACH)

    async def write(answer):
        written.append(answer)
        blocked.set()
        await asyncio.Event().wait()

    async with world.instance() as instance:
        caller = Identity(uuid4(), frozenset({Role.SERVICE}), None)
        hub = Hub(world.redis, None)
        stream = HeartbeatStream(caller, instance.heartbeats, None, None, hub, asyncio.Event(), instance.clock)
        serving = asyncio.ensure_future(stream.serve(requests(), write))
        await blocked.wait()
        for _ in range(10 * MESSAGES):  # nothing that it could still read takes longer
            await asyncio.sleep(0)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    assert MAX_UNACKNOWLEDGED // EACH <= taken < MESSAGES
    assert {len(one.session_id) for one in written[0].refusals} == {min(len(bad), 64)}
