"""Around every gRPC call: identity, bounds, deadlines, health, and one form for every refusal."""

import asyncio
from contextlib import ExitStack
from functools import partial
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, on_one_server
from gameshelf.gateway.runtime.errors import RateLimitExceeded
from gameshelf.gateway.runtime.grpc.open_streams import MOST_OF_ONE, OpenStreams
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

NAME = "library.v1.LibraryQueryService"


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(LIBRARY_SERVICE_ROLES="api")
    made.start()
    return made


@pytest.fixture
async def channel(service):
    async with grpc.aio.insecure_channel(service.grpc) as opened:
        yield opened


@pytest.fixture
def stub(channel):
    return LibraryQueryServiceStub(channel)


async def refusal(call):
    """The status, the reason, the message and the metadata of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as error:
        await call
    info = ErrorInfo()
    assert rpc_status.from_call(error.value).details[0].Unpack(info)
    assert info.domain == "library.platform"
    return error.value.code().name, info.reason, error.value.details()


def pairs(*asked):
    return [messages.CheckGameAccessRequest(user_id=str(user), product_id=str(product)) for user, product in asked]


async def test_an_id_in_any_but_the_usual_form_is_refused_and_its_field_named(stub, caller):
    service, good = caller(uuid4(), "service"), uuid4()
    for bad in ("", "x", good.hex, f"{{{good}}}", f"urn:uuid:{good}", f" {good}", "'; DROP TABLE users; --", "\u0000"):
        calls = {
            "user_id": stub.GetLibraryItems(messages.GetLibraryItemsRequest(user_id=bad), metadata=service),
            "product_ids_filter": stub.GetLibraryItems(
                messages.GetLibraryItemsRequest(user_id=str(good), product_ids_filter=[str(good), bad]),
                metadata=service,
            ),
            "product_id": stub.CheckGameAccess(
                messages.CheckGameAccessRequest(user_id=str(good), product_id=bad), metadata=service
            ),
        }
        for field, call in calls.items():
            status, reason, detail = await refusal(call)
            assert (status, reason) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
            assert field in detail
    upper = messages.GetLibraryItemsRequest(user_id=str(good).upper())
    assert not (await stub.GetLibraryItems(upper, metadata=service)).items


async def test_one_foreign_pair_among_a_players_own_is_refused(stub, caller):
    me = uuid4()
    own = pairs(*((me, uuid4()) for _ in range(3)))
    batch = messages.BatchCheckGameAccessRequest
    answer = await stub.BatchCheckGameAccess(batch(pairs=own), metadata=caller(me, "user"))
    assert [result.has_access for result in answer.results] == [False] * 3
    mixed = batch(pairs=[*own, *pairs((uuid4(), uuid4()))])
    refused = await refusal(stub.BatchCheckGameAccess(mixed, metadata=caller(me, "user")))
    assert refused[:2] == ("PERMISSION_DENIED", "PERMISSION_DENIED")


async def test_lists_are_bounded_at_a_thousand_and_none_at_all_is_an_answer(stub, caller):
    service, user = caller(uuid4(), "service"), uuid4()
    batch = messages.BatchCheckGameAccessRequest
    for count in (0, 1000):
        request = batch(pairs=pairs(*((user, uuid4()) for _ in range(count))))
        assert len((await stub.BatchCheckGameAccess(request, metadata=service)).results) == count
    over = batch(pairs=pairs(*((user, uuid4()) for _ in range(1001))))
    assert (await refusal(stub.BatchCheckGameAccess(over, metadata=service)))[:2] == (
        "INVALID_ARGUMENT",
        "VALIDATION_ERROR",
    )
    many = messages.GetLibraryItemsRequest(user_id=str(user), product_ids_filter=[str(uuid4())] * 1001)
    assert (await refusal(stub.GetLibraryItems(many, metadata=service)))[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer"),), (("authorization", "Basic eA=="),), (("authorization", "Bearer x.y.z"),)],
)
async def test_who_is_not_known_is_refused_before_the_request_is_looked_at(stub, metadata):
    call = stub.GetLibraryItems(messages.GetLibraryItemsRequest(user_id="x"), metadata=metadata)
    assert (await refusal(call))[:2] == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_two_authorization_entries_are_refused_even_when_both_are_good(stub, caller):
    mine, other = caller(uuid4(), "service"), caller(uuid4(), "service")
    for metadata in (mine + mine, mine + other, (*mine, ("authorization", "Basic eA=="))):
        call = stub.GetLibraryItems(messages.GetLibraryItemsRequest(user_id=str(uuid4())), metadata=metadata)
        assert (await refusal(call))[:2] == ("UNAUTHENTICATED", "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "garbage", [b"\xff", b"\x0a\x05abc", b"\x0a\x02\xff\xfe", b"\x08" + b"\xff" * 11, b"\x0b" * 200]
)
async def test_what_is_no_message_is_an_invalid_argument_to_those_who_are_known(channel, caller, garbage):
    for method in ("GetLibraryItems", "CheckGameAccess", "BatchCheckGameAccess"):
        call = channel.unary_unary(f"/{NAME}/{method}")
        refused = await refusal(call(garbage, metadata=caller(uuid4(), "service")))
        assert refused == ("INVALID_ARGUMENT", "VALIDATION_ERROR", "malformed_message")
        assert (await refusal(call(garbage)))[0] == "UNAUTHENTICATED"


@pytest.fixture
async def sent_stream(service):
    """Sends messages in a stream, and reads it to its end.

    By the synchronous client: the other one says INTERNAL where a write of its own fails as the stream ends.
    """

    def send(method, metadata, *sent):
        with grpc.insecure_channel(service.grpc) as channel:
            return list(channel.stream_stream(method)(iter(sent), metadata=metadata, timeout=PATIENCE_SECONDS))

    return partial(asyncio.to_thread, send)


async def test_what_is_no_message_ends_a_stream_as_an_invalid_argument(sent_stream, caller):
    method = "/library.v1.PlaytimeTrackerService/StreamPlaytimeHeartbeats"
    refused = await refusal(sent_stream(method, caller(uuid4(), "user"), b"", b"\xff"))
    assert refused == ("INVALID_ARGUMENT", "VALIDATION_ERROR", "malformed_message")


async def test_malformed_messages_are_invalid_arguments_without_a_token_too(channel, sent_stream):
    assert (await refusal(channel.unary_unary("/grpc.health.v1.Health/Check")(b"\xff")))[0] == "INVALID_ARGUMENT"

    async def all_of(call):
        return [one async for one in call]

    assert (await refusal(all_of(channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff"))))[
        0
    ] == "INVALID_ARGUMENT"
    reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    assert (await refusal(sent_stream(reflection, (), b"\xff")))[0] == "INVALID_ARGUMENT"


async def test_an_oversized_message_is_refused_before_decoding(channel, caller):
    batch = channel.unary_unary(f"/{NAME}/BatchCheckGameAccess")
    refused = await refusal(batch(b"\x0a\x00" * 600_000, metadata=caller(uuid4(), "service")))
    assert refused[:2] == ("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE")


async def test_a_token_without_a_role_may_nothing(stub, platform):
    user = uuid4()
    metadata = (("authorization", f"Bearer {platform.issuer.issue(user, roles=[])}"),)
    call = stub.GetLibraryItems(messages.GetLibraryItemsRequest(user_id=str(user)), metadata=metadata)
    assert (await refusal(call))[0] == "PERMISSION_DENIED"


@on_one_server("the log is that of another machine")
async def test_a_deadline_ends_the_work_too_and_is_counted(postgres, platform, service, stub, caller, wait_until):
    holder = await asyncpg.connect(platform.dsn)
    said_before = len(postgres.log.read_text())
    async with holder.transaction():
        await holder.execute("LOCK TABLE library.user_library_items IN ACCESS EXCLUSIVE MODE")

        async def is_cancelled():
            """Asks again where the deadline has passed before the statement came to the database."""
            asked = messages.GetLibraryItemsRequest(user_id=str(uuid4()))
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stub.GetLibraryItems(asked, metadata=caller(uuid4(), "service"), timeout=0.7)
            assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            return "canceling statement due to user request" in postgres.log.read_text()[said_before:]

        await wait_until(is_cancelled)  # else the time-out for locks would end it
    await holder.close()

    async def is_counted():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        return f'grpc_requests_total{{code="CANCELLED",method="/{NAME}/GetLibraryItems"}} ' in text

    await wait_until(is_counted)


async def test_reflection_lists_the_services(channel):
    requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    answers = [one async for one in reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(requests)]
    names = {one.name for one in answers[0].list_services_response.service}
    assert {NAME, "grpc.health.v1.Health"} <= names


async def test_an_unknown_method_is_unimplemented(channel, caller):
    unknown = channel.unary_unary(f"/{NAME}/DropEverything")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await unknown(b"", metadata=caller(uuid4(), "admin"))
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_health_says_serving_until_the_service_stops(platform):
    leaving = platform.service(LIBRARY_SERVICE_ROLES="api")
    leaving.start()
    async with grpc.aio.insecure_channel(leaving.grpc) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", NAME):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await health.Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        watch = health.Watch(health_pb2.HealthCheckRequest(service=NAME))
        unknown = health.Watch(health_pb2.HealthCheckRequest(service="nobody"))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        assert (await unknown.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
        assert (
            await asyncio.wait_for(watch.read(), PATIENCE_SECONDS)
        ).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for one in (watch, unknown):  # both end by themselves, and hold up nothing
            assert await one.read() is grpc.aio.EOF
        assert await stopping == 0


async def test_a_stalled_watcher_blocks_neither_others_nor_the_shutdown(platform):
    leaving = platform.service(LIBRARY_SERVICE_ROLES="api", LIBRARY_SERVICE_SHUTDOWN_SECONDS="1")
    leaving.start()
    writer = await watching_without_a_window(leaving.grpc)
    async with grpc.aio.insecure_channel(leaving.grpc) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
        assert (
            await asyncio.wait_for(watch.read(), PATIENCE_SECONDS)
        ).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await asyncio.wait_for(stopping, PATIENCE_SECONDS) == 0
    writer.close()


async def watching_without_a_window(address):
    """Opens a watch, and lets nothing of its answer come in; until the server has answered that it has begun."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    http.initiate_connection()
    http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    asked = [(":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Watch"), (":authority", host)]
    http.send_headers(1, [*asked, ("content-type", "application/grpc"), ("te", "trailers")])
    http.send_data(1, b"\0\0\0\0\0", end_stream=True)
    while True:
        writer.write(http.data_to_send())
        events = http.receive_data(await asyncio.wait_for(reader.read(65536), PATIENCE_SECONDS))
        if any(isinstance(event, h2.events.ResponseReceived) for event in events):
            return writer


async def test_streams_without_a_token_are_limited_per_address(channel):
    health = health_pb2_grpc.HealthStub(channel)

    async def watch():
        call = health.Watch(health_pb2.HealthCheckRequest())
        return call, await refusal_or(call.read())

    watches = [await watch() for _ in range(MOST_OF_ONE + 1)]
    assert [outcome for _, outcome in watches] == ["served"] * MOST_OF_ONE + ["RESOURCE_EXHAUSTED"]
    # Nothing is written: grpc.aio would report a write that fails at the end of the stream, not how the stream ended.
    reflected = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
    assert await refusal_or(reflected.read()) == "RESOURCE_EXHAUSTED"
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    for call, _ in watches:
        call.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await watch())[1] != "served":  # who closes them may open others
            await asyncio.sleep(0.05)


async def refusal_or(reading):
    try:
        await reading
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "served"


def test_proxies_share_a_bound_and_no_other_address_reaches_theirs():
    streams = OpenStreams(most_of_one=2, most=4)
    with ExitStack() as held:
        for address in ("a", "a", None, None):
            held.enter_context(streams.held(address))
        for address in ("a", "b", None):
            with pytest.raises(RateLimitExceeded), streams.held(address):
                pass
    for _ in range(3):
        with streams.held("a"), streams.held("a"), pytest.raises(RateLimitExceeded), streams.held("a"):
            pass
