"""``grpc.health.v1``: reports whether the services are served, once or as a watch.

The servicer of grpcio-health-checking is not used: its watches never end, so each one delays the stop of the server for
the whole grace period, and it writes to a watcher while it holds the lock that all watchers share.
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
        """Sets the state of services and notifies their watchers."""
        self._states |= dict.fromkeys(names, state)
        self._wake()

    def end(self) -> None:
        """Ends all watches once they have sent the last state, so that none of them delays the stop of the server."""
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
        sent = None
        while True:
            changed, is_last = self._changed, self._ended
            state = self._states.get(request.service, Status.SERVICE_UNKNOWN)
            if state != sent:
                await context.write(Status(status=state))
                sent = state
            if is_last:
                return
            await changed.wait()
