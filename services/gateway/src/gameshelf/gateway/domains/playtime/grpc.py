"""``PlaytimeTrackerService``: reports of running games."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import grpc.aio
from gameshelf.gateway.domains.playtime.heartbeat_stream import HeartbeatStream
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.openings import end_of_session, start_of_session
from gameshelf.gateway.runtime.grpc.calls import GrpcContext, caller, parse_id, parse_message, require_write
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Role, TokenVerifier
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.playtime import PlaytimeService, StartSession, StoredSession
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import (
    PlaytimeTrackerServiceServicer,
    add_PlaytimeTrackerServiceServicer_to_server,
)

NAME = messages.DESCRIPTOR.services_by_name["PlaytimeTrackerService"].full_name


class PlaytimeTracker(PlaytimeTrackerServiceServicer):
    """Serves reports of play sessions."""

    def __init__(
        self,
        transactions: Transactions,
        heartbeats: Heartbeats,
        heartbeat_interval_seconds: float,
        verifier: TokenVerifier | None,
        limits: RateLimits,
        hub: Hub,
        stopping: asyncio.Event,
    ) -> None:
        self._transactions = transactions
        self._heartbeats = heartbeats
        self._heartbeat_interval_seconds = heartbeat_interval_seconds
        self._verifier = verifier
        self._limits = limits
        self._hub = hub
        self._stopping = stopping

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_PlaytimeTrackerServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def StartPlaytimeSession(
        self, request: messages.StartPlaytimeSessionRequest, context: GrpcContext
    ) -> messages.StartPlaytimeSessionResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)
        start = parse_message(StartSession, request, leave_out={"user_id"})
        session, is_new = await self._transactions.run(
            user_id,
            lambda transaction: transaction.of(PlaytimeService).start(user_id, start),
            start_of_session(user_id, start),
        )
        return messages.StartPlaytimeSessionResponse(
            session=session_message(user_id, session),
            is_new=is_new,
            heartbeat_interval_seconds=self._heartbeat_interval_seconds,
        )

    async def RecordPlaytimeHeartbeat(
        self, request: messages.RecordPlaytimeHeartbeatRequest, context: GrpcContext
    ) -> messages.RecordPlaytimeHeartbeatResponse:
        user_id, session_id = parse_id(request.user_id, "user_id"), parse_id(request.session_id, "session_id")
        require_write(user_id)
        lost_at = await self._heartbeats.beat(user_id, session_id)
        return messages.RecordPlaytimeHeartbeatResponse(seat_lost_at=timestamp(lost_at))

    async def EndPlaytimeSession(
        self, request: messages.EndPlaytimeSessionRequest, context: GrpcContext
    ) -> messages.EndPlaytimeSessionResponse:
        user_id, session_id = parse_id(request.user_id, "user_id"), parse_id(request.session_id, "session_id")
        require_write(user_id)
        session = await self._transactions.run(
            user_id,
            lambda transaction: transaction.of(PlaytimeService).end(user_id, session_id),
            end_of_session(user_id, session_id),
        )
        return messages.EndPlaytimeSessionResponse(session=session_message(user_id, session))

    async def StreamPlaytimeHeartbeats(
        self, request_iterator: AsyncIterator[messages.StreamPlaytimeHeartbeatsRequest], context: GrpcContext
    ) -> None:
        identity = caller()
        if not identity.roles & {Role.USER, Role.SERVICE} or self._verifier is None:
            raise PermissionDenied
        stream = HeartbeatStream(identity, self._heartbeats, self._verifier, self._limits, self._hub, self._stopping)
        await stream.serve(request_iterator, context.write)


def session_message(user_id: UUID, stored: StoredSession) -> messages.PlaytimeSession:
    return messages.PlaytimeSession(
        session_id=str(stored.id),
        user_id=str(user_id),
        product_id=str(stored.product_id),
        device_id=stored.device_id,
        platform=text(stored.platform),
        start_time=timestamp(stored.start_time),
        status="active" if stored.end_time is None else "completed",
        end_time=timestamp(stored.end_time),
        duration_seconds=stored.duration_seconds or 0,
        end_reason=text(stored.end_reason),
        seat_number=stored.seat_number or 0,
    )
