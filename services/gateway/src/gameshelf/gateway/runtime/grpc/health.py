"""``grpc.health.v1``: whether the services are served, asked once or watched.

Not the servicer of grpcio-health-checking: its watches never end, so each held up the end of the server for all of its
grace; and it writes to a watcher under the lock under which all are told of a change.
"""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Status = health_pb2.HealthCheckResponse


class HealthService(health_pb2_grpc.HealthServicer):
    """The state of each service by its full name; "" is the whole server."""

    def __init__(self) -> None:
        self._states: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._ended = False

    def report(self, names: list[str], state: int) -> None:
        """From now on these are in a state; whoever watches one of them is told."""
        self._states |= dict.fromkeys(names, state)
        self._wake()

    def end(self) -> None:
        """Watches end, once the last state is told: nobody who watches holds up the end of the server."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:
        if request.service not in self._states:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return Status(status=self._states[request.service])

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        told = None
        while True:
            changed, is_last = self._changed, self._ended
            state = self._states.get(request.service, Status.SERVICE_UNKNOWN)
            if state != told:
                await context.write(Status(status=state))
                told = state
            if is_last:
                return
            await changed.wait()
