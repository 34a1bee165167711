"""The floor of heartbeats: a gRPC stream that acknowledges every message at once and keeps nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from gameshelf.gateway.runtime.event_loop import loop_factory
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import (
    PlaytimeTrackerServiceServicer,
    add_PlaytimeTrackerServiceServicer_to_server,
)


class Bare(PlaytimeTrackerServiceServicer):
    async def StreamPlaytimeHeartbeats(
        self, request_iterator: AsyncIterator[messages.StreamPlaytimeHeartbeatsRequest], context: Any
    ) -> None:
        async for request in request_iterator:
            await context.write(messages.StreamPlaytimeHeartbeatsResponse(acknowledged_sequence=request.sequence))


async def main(port: int) -> None:
    server = grpc.aio.server()
    add_PlaytimeTrackerServiceServicer_to_server(Bare(), server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
    runner.run(main(int(sys.argv[1])))
