"""``sessions list|end``: the sessions that a user has running, and the end of one whose client no longer ends it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.gateway.domains.playtime.changes import EndSession
from gameshelf.gateway.domains.playtime.grpc import session_message
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.playtime import PlaytimeQueries, SessionKey, StoredSession
from gameshelf.protos.library.v1 import admin_playtime_pb2
from gameshelf.protos.library.v1 import admin_sessions_pb2 as messages

COMMANDS = (
    read_command("sessions list", "ListRunningSessions"),
    change_command("sessions end", "EndSessionOfUser", ANY),
)
_MOST_SESSIONS = 100
_REDIS_SECONDS = 1.0


class SessionsOfUser:
    """Serves running sessions."""

    def __init__(self, context: SupportContext, live: LiveSessions, timeout: timedelta) -> None:
        self._context = context
        self._live = live
        self._timeout = timeout

    async def ListRunningSessions(
        self, request: messages.ListRunningSessionsRequest, by: Identity
    ) -> messages.ListRunningSessionsResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.reading(user_id) as connection:
            found = await PlaytimeQueries(connection).running(user_id, _MOST_SESSIONS)
            titles = await self._context.titles(connection, sorted({one.product_id for one in found}))
        heartbeats = await self._heartbeats(user_id, found)
        return messages.ListRunningSessionsResponse(
            sessions=[self._session(user_id, one, titles, heartbeats or {}) for one in found],
            timeout_seconds=self._timeout.total_seconds(),
            has_newest_heartbeats=heartbeats is not None,
        )

    async def EndSessionOfUser(
        self, request: messages.EndSessionOfUserRequest, by: Identity
    ) -> messages.EndSessionOfUserResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        change = EndSession(user_id, parse_id(request.session_id, "session_id"))
        return messages.EndSessionOfUserResponse(result=await self._context.make_change(change, options, by))

    async def _heartbeats(self, user_id: UUID, sessions: Sequence[StoredSession]) -> Mapping[UUID, datetime] | None:
        """Reads the newest heartbeats; None while Redis is unavailable: support needs the rest then most of all."""
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                found = await self._live.heartbeats(SessionKey(user_id, one.id) for one in sessions) if sessions else {}
        except REDIS_ERRORS:
            return None
        return {key.session_id: at for key, at in found.items()}

    def _session(
        self, user_id: UUID, of: StoredSession, titles: Mapping[UUID, str], heartbeats: Mapping[UUID, datetime]
    ) -> messages.RunningSession:
        last = max(heartbeats.get(of.id, of.last_heartbeat_at), of.last_heartbeat_at)
        return messages.RunningSession(
            session=admin_playtime_pb2.AdminPlaytimeSession(
                session=session_message(user_id, of),
                client_session_id=text(of.client_session_id),
                copy_owner_user_id=text(of.copy_owner_user_id),
                last_heartbeat_at=timestamp(of.last_heartbeat_at),
                recorded_at=timestamp(of.start_time),
                title=titles.get(of.product_id, ""),
            ),
            last_heartbeat_at=timestamp(last),
            times_out_at=timestamp(last + self._timeout),
        )
