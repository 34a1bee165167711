"""``PlaytimeTrackerService``: games and game servers report play."""

import asyncio
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.domains.playtime.heartbeat_stream import MAX_OF_PLAYER
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import PlaytimeTrackerServiceStub


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(RATE_LIMIT_USER_PER_MINUTE="200")
    made.start()
    return made


@pytest.fixture
async def stub(service):
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        yield PlaytimeTrackerServiceStub(channel)


@pytest.fixture
def play(stub, new_player, wait_until, caller):
    """A player, and a session of theirs that runs."""

    async def start():
        player, game = new_player(), uuid4()
        await player.buys(game)
        await wait_until(player.products)
        request = messages.StartPlaytimeSessionRequest(user_id=str(player.id), product_id=str(game), device_id="deck")
        started = await stub.StartPlaytimeSession(request, metadata=caller(player.id))
        return player, started.session

    return start


def heartbeats(*sessions):
    return [messages.PlaytimeHeartbeat(user_id=one.user_id, session_id=one.session_id) for one in sessions]


def sent(sequence, *sessions, **more):
    return messages.StreamPlaytimeHeartbeatsRequest(sequence=sequence, heartbeats=heartbeats(*sessions), **more)


async def test_a_session_from_start_to_end(stub, play, caller, refusal):
    player, session = await play()
    assert (session.status, session.device_id, session.HasField("end_time")) == ("active", "deck", False)
    who = {"user_id": str(player.id), "session_id": session.session_id}
    await stub.RecordPlaytimeHeartbeat(messages.RecordPlaytimeHeartbeatRequest(**who), metadata=caller(player.id))
    end = messages.EndPlaytimeSessionRequest(**who)
    ended = await stub.EndPlaytimeSession(end, metadata=caller(uuid4(), "service"))
    assert (ended.session.status, ended.session.end_reason) == ("completed", "completed")
    assert await stub.EndPlaytimeSession(end, metadata=caller(player.id)) == ended
    late = stub.RecordPlaytimeHeartbeat(messages.RecordPlaytimeHeartbeatRequest(**who), metadata=caller(player.id))
    assert await refusal(late) == ("FAILED_PRECONDITION", "SESSION_ALREADY_ENDED")


async def test_only_the_player_and_services_report(stub, play, caller, refusal):
    player, session = await play()
    request = messages.RecordPlaytimeHeartbeatRequest(user_id=str(player.id), session_id=session.session_id)
    for roles in (("user",), ("support",), ("admin",), ("support", "admin")):
        call = stub.RecordPlaytimeHeartbeat(request, metadata=caller(uuid4(), *roles))
        assert await refusal(call) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    await stub.RecordPlaytimeHeartbeat(request, metadata=caller(uuid4(), "service"))


async def test_bad_fields_are_named(stub, caller):
    user = uuid4()
    for request, field in (
        (messages.StartPlaytimeSessionRequest(user_id="me"), "user_id"),
        (messages.StartPlaytimeSessionRequest(user_id=str(user)), "product_id"),
        (
            messages.StartPlaytimeSessionRequest(user_id=str(user), product_id=str(user), device_id="d" * 101),
            "device_id",
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.StartPlaytimeSession(request, metadata=caller(user))
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error.value.details().startswith(field)


async def test_a_game_server_streams_for_many_players(stub, play, caller):
    sessions = [(await play())[1] for _ in range(3)]
    unknown = messages.PlaytimeSession(user_id=sessions[0].user_id, session_id=str(uuid4()))
    foreign = messages.PlaytimeSession(user_id=str(uuid4()), session_id=sessions[0].session_id)
    malformed = messages.PlaytimeSession(user_id=sessions[0].user_id, session_id="none")
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(uuid4(), "service"))
    await stream.write(sent(7, *sessions))
    answer = await stream.read()
    assert (answer.acknowledged_sequence, list(answer.refusals)) == (7, [])
    await stream.write(sent(8, *sessions, unknown, foreign, malformed))
    answer = await stream.read()
    refused = {(one.user_id, one.session_id): one.reason for one in answer.refusals}
    assert refused == {
        (unknown.user_id, unknown.session_id): "SESSION_NOT_FOUND",
        (foreign.user_id, foreign.session_id): "SESSION_NOT_FOUND",
        (malformed.user_id, "none"): "VALIDATION_ERROR",
    }
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() == grpc.StatusCode.OK


async def test_the_refusal_of_a_session_that_has_ended_says_when_and_why(stub, play, caller):
    player, session = await play()
    who = {"user_id": str(player.id), "session_id": session.session_id}
    ended = (
        await stub.EndPlaytimeSession(messages.EndPlaytimeSessionRequest(**who), metadata=caller(player.id))
    ).session
    unknown = messages.PlaytimeSession(user_id=str(player.id), session_id=str(uuid4()))
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    await stream.write(sent(1, session, unknown))
    refused = {one.session_id: one for one in (await stream.read()).refusals}
    late, never = refused[session.session_id], refused[unknown.session_id]
    assert (late.reason, late.end_time, late.end_reason) == ("SESSION_ALREADY_ENDED", ended.end_time, "completed")
    assert (never.reason, never.HasField("end_time"), never.end_reason) == ("SESSION_NOT_FOUND", False, "")
    await stream.done_writing()


async def test_everything_sent_is_acknowledged_before_a_stream_ends(stub, play, caller):
    player, session = await play()
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    for sequence in range(1, 101):
        await stream.write(sent(sequence, session))
    await stream.done_writing()
    answers = [answer.acknowledged_sequence async for answer in stream]
    assert answers == sorted(answers)
    assert answers[-1] == 100


async def test_a_player_streams_their_own_sessions_only(stub, play, caller):
    (player, session), (_, foreign) = await play(), await play()
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    own = messages.PlaytimeSession(session_id=session.session_id)
    await stream.write(sent(1, own, foreign))
    answer = await stream.read()
    assert [(one.session_id, one.reason) for one in answer.refusals] == [(foreign.session_id, "PERMISSION_DENIED")]
    stream.cancel()


async def test_a_stream_ends_with_its_token_unless_a_fresh_one_came(stub, play, caller, refusal):
    player, session = await play()
    ending = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id, ttl=-22))
    renewed = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id, ttl=-22))
    foreign = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    token = caller(player.id)[0][1].removeprefix("Bearer ")
    await renewed.write(sent(1, session, token=token))
    await foreign.write(sent(1, session, token=caller(uuid4())[0][1].removeprefix("Bearer ")))
    assert await refusal(ending.read()) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert await refusal(foreign.read()) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert (await renewed.read()).acknowledged_sequence == 1
    await renewed.write(sent(2, session))
    assert (await renewed.read()).acknowledged_sequence == 2
    renewed.cancel()


async def test_a_stream_needs_a_good_token_and_a_fitting_role(stub, caller, refusal):
    assert await refusal(stub.StreamPlaytimeHeartbeats().read()) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    for role in ("support", "admin"):
        stream = stub.StreamPlaytimeHeartbeats(metadata=caller(uuid4(), role))
        assert await refusal(stream.read()) == ("PERMISSION_DENIED", "PERMISSION_DENIED")


async def test_a_message_with_too_many_heartbeats_is_refused(stub, caller, refusal):
    user = uuid4()
    many = [messages.PlaytimeSession(session_id=str(uuid4()))] * 1001
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(user))
    await stream.write(sent(1, *many))
    assert await refusal(stream.read()) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")


async def test_a_player_who_floods_a_stream_is_stopped(service, play, caller, refusal):
    player, session = await play()

    def flood():
        # Not by grpc.aio: where a write of the caller's fails because the stream has ended, it reports INTERNAL
        # ("Internal error from Core") in place of the status that came with the end.
        with grpc.insecure_channel(service.grpc) as channel:
            requests = (sent(sequence, session) for sequence in range(1000))
            stub = PlaytimeTrackerServiceStub(channel)
            return list(stub.StreamPlaytimeHeartbeats(requests, metadata=caller(player.id), timeout=PATIENCE_SECONDS))

    assert await refusal(asyncio.to_thread(flood)) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")


async def test_a_player_has_so_many_streams_at_once(stub, play, caller, refusal):
    player, session = await play()
    streams = [stub.StreamPlaytimeHeartbeats(metadata=caller(player.id)) for _ in range(MAX_OF_PLAYER)]
    for stream in streams:
        await stream.write(sent(1, session))
        assert (await stream.read()).acknowledged_sequence == 1
    more = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    refused = refusal(asyncio.wait_for(more.read(), PATIENCE_SECONDS))  # one that is served waits to be sent something
    assert await refused == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    for stream in streams:
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
    again = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    await again.write(sent(1, session))
    assert (await again.read()).acknowledged_sequence == 1
    again.cancel()


async def test_a_stream_ends_when_the_account_is_erased(stub, platform, play, caller, refusal, wait_until):
    player, session = await play()
    stream = stub.StreamPlaytimeHeartbeats(metadata=caller(player.id))
    await stream.write(sent(1, session))
    assert (await stream.read()).acknowledged_sequence == 1
    connection = await asyncpg.connect(platform.dsn)
    await connection.execute("UPDATE gateway.user_streams SET erased_at = now() WHERE user_id = $1", player.id)
    await connection.close()
    assert await refusal(stream.read()) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    # A game server that still reports for them gets no error about its own token.
    server, who = caller(uuid4(), "service"), {"user_id": str(player.id), "session_id": session.session_id}
    for call in (
        stub.EndPlaytimeSession(messages.EndPlaytimeSessionRequest(**who), metadata=server),
        stub.StartPlaytimeSession(
            messages.StartPlaytimeSessionRequest(user_id=str(player.id), product_id=session.product_id), metadata=server
        ),
    ):
        assert await refusal(call) == ("PERMISSION_DENIED", "PERMISSION_DENIED")

    async def heartbeats_are_refused():
        """As soon as the sessions are erased."""
        beat = stub.RecordPlaytimeHeartbeat(messages.RecordPlaytimeHeartbeatRequest(**who), metadata=caller(player.id))
        try:
            await beat
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.UNAUTHENTICATED

    await wait_until(heartbeats_are_refused)
