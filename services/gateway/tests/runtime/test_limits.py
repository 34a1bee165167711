"""Rate limits per minute, with headers; they hold while Redis is busy, slow or away, and no request waits."""

import asyncio
import time
from uuid import uuid4

import grpc.aio
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.local_counts import LocalCounts
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from redis import Redis


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(
        LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_USER_PER_MINUTE="3", RATE_LIMIT_SERVICE_PER_MINUTE="4"
    )
    made.start()
    return made


@pytest.fixture(autouse=True)
def nothing_counted(platform):
    """All tests here have one address, and share Redis."""
    with Redis(host="127.0.0.1", port=platform.valkey.port) as redis:
        redis.flushall()


def wait_for_time_of_a_minute():
    """Counts are by the minute of the clock: a test that counts begins where enough of it is left."""
    if time.time() % 60 > 35:
        time.sleep(60 - time.time() % 60)


@pytest.fixture
def whole_minute():
    """For a test that starts no service: that may take the rest of the minute."""
    wait_for_time_of_a_minute()


def of(response):
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
    return tuple(int(response.headers[name]) if name in response.headers else None for name in names)


async def test_a_player_has_so_many_requests_a_minute_on_all_paths_together(whole_minute, player, new_player):
    answers = [await player.http.get(path) for path in ("/items", "/categories", "/events", "/items")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    limits = [of(answer) for answer in answers]
    assert [(limit, left) for limit, left, _, _ in limits] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    assert all(0 < reset <= 60 for _, _, reset, _ in limits)
    assert [retry for _, _, _, retry in limits] == [None, None, None, limits[3][2]]
    [error] = answers[3].json()["errors"]
    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    assert (await new_player().http.get("/items")).status_code == 200


async def test_a_refused_request_is_not_done(whole_minute, player):
    for _ in range(3):
        assert (await player.post("/categories", {"name": str(uuid4())})).status_code == 201
    key = {"Idempotency-Key": "k"}
    refused = await player.post("/categories", {"name": "Мои"}, **key)
    assert refused.status_code == 429
    assert refused.headers["Cache-Control"] == "private, no-cache"


async def test_an_address_has_so_many_requests_a_minute_for_all_users(platform):
    made = platform.service(LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_IP_PER_MINUTE="40")
    made.start()
    wait_for_time_of_a_minute()
    async with httpx.AsyncClient(base_url=made.api) as client:
        answers = [await client.get("/items", headers={"X-Forwarded-For": f"10.1.2.{n}"}) for n in range(41)]
    statuses = [answer.status_code for answer in answers]
    served = statuses.count(401)
    assert 0 < served <= 40
    assert statuses == [401] * served + [429] * (41 - served)
    assert [of(answer)[:2] for answer in answers] == [(40, max(served - n - 1, 0)) for n in range(41)]
    assert of(answers[-1])[3] == of(answers[-1])[2]
    made.stop()


async def test_a_service_has_so_many_calls_a_minute(whole_minute, platform, service):
    metadata = (("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),)
    asked = messages.GetLibraryItemsRequest(user_id=str(uuid4()))
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = LibraryQueryServiceStub(channel)
        for _ in range(4):
            await stub.GetLibraryItems(asked, metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.GetLibraryItems(asked, metadata=metadata)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    info = ErrorInfo()
    rpc_status.from_call(error.value).details[0].Unpack(info)
    assert info.reason == "RATE_LIMIT_EXCEEDED"
    assert 0 < int(info.metadata["retry_after"]) <= 60


async def test_many_requests_at_once_are_no_outage_of_redis(whole_minute, service, player):
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(
        headers=player.http.headers, base_url=service.api, limits=limits, timeout=PATIENCE_SECONDS
    ) as many:
        answers = await asyncio.gather(*(many.get("/items") for _ in range(200)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 197


async def test_limits_see_through_trusted_proxies_and_skip_health_checks(platform):
    """In the default AUTH_MODE=jwt: all players of a proxy have one address."""
    behind = platform.service(
        LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_IP_PER_MINUTE="10", AUTH_TRUSTED_PROXIES="127.0.0.1"
    )
    direct = platform.service(LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_IP_PER_MINUTE="10")
    for made in (behind, direct):
        made.start()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {platform.token(uuid4())}"}) as client:
        assert {(await client.get(f"{behind.api}/items")).status_code for _ in range(30)} == {200}
        for path in ("/health/live", "/health/ready", "/health/ready/"):
            answers = [await client.get(direct.url + path) for _ in range(20)]
            assert {answer.status_code for answer in answers} == {200}
            assert not any("X-RateLimit-Limit" in answer.headers for answer in answers)
        wait_for_time_of_a_minute()
        first = await client.get(f"{direct.api}/items")
        assert (first.status_code, of(first)[:2]) == (200, (10, 9))
        statuses = [(await client.get(f"{direct.api}/items")).status_code for _ in range(10)]
        assert statuses == [200] * 9 + [429]
        assert (await client.get(f"{direct.url}/health/ready")).status_code == 200
    for made in (behind, direct):
        made.stop()


async def test_without_redis_an_instance_limits_by_its_own_count(whole_minute, platform, new_player):
    platform.valkey.freeze()
    try:
        hanging = new_player()
        started = time.monotonic()
        statuses = [(await hanging.http.get("/items")).status_code for _ in range(20)]
        assert statuses == [200] * 3 + [429] * 17
        assert time.monotonic() - started < 2 * len(statuses)  # no request waits as long as for other parts
    finally:
        platform.valkey.thaw()
    platform.valkey.kill()
    try:
        away = new_player()
        answers = [await away.http.get("/items") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
        assert [of(answer)[1] for answer in answers] == [2, 1, 0, 0, 0]
    finally:
        platform.valkey.start()


def test_what_an_instance_counts_for_itself_takes_bounded_memory():
    counts = LocalCounts(max_keys=100)
    for number in range(1000):
        counts.add("frequent", 1)
        counts.add(f"once {number}", 1)
    assert len(counts) == 100
    assert counts.add("frequent", 1) == 1001
    counts.raise_to("frequent", 1, 5000)
    assert counts.add("frequent", 1) == 5001
    counts.raise_to("frequent", 2, 9000)  # the answer came when the minute was over
    assert counts.add("frequent", 2) == 1
    assert len(counts) == 1


async def test_a_grpc_call_counts_for_its_address_until_the_caller_is_known(platform):
    made = platform.service(LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_IP_PER_MINUTE="5")
    made.start()
    wait_for_time_of_a_minute()
    async with grpc.aio.insecure_channel(made.grpc) as channel:
        stub = LibraryQueryServiceStub(channel)

        async def asked(token):
            metadata = (("authorization", f"Bearer {token}"),) if token else ()
            request = messages.GetLibraryItemsRequest(user_id=str(uuid4()))
            try:
                await stub.GetLibraryItems(request, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        service = platform.token(uuid4(), "service")
        assert await asked(service) == "OK"  # counted: its signature has to be checked
        bad = [await asked(None), *[await asked(f"{service[:-8]}{number:08}") for number in range(3)]]
        assert bad == ["UNAUTHENTICATED"] * 4
        assert await asked(None) == "RESOURCE_EXHAUSTED"
        assert await asked(platform.token(uuid4(), "service")) == "RESOURCE_EXHAUSTED"
        assert [await asked(service) for _ in range(8)] == ["OK"] * 8  # it has a limit of its own
        health = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert len({await health(b"") for _ in range(8)}) == 1
    made.stop()


async def test_the_address_of_a_trusted_proxy_is_not_limited_over_grpc_either(platform):
    made = platform.service(
        LIBRARY_SERVICE_ROLES="api", RATE_LIMIT_IP_PER_MINUTE="2", AUTH_TRUSTED_PROXIES="127.0.0.0/8"
    )
    made.start()
    wait_for_time_of_a_minute()
    async with grpc.aio.insecure_channel(made.grpc) as channel:
        stub = LibraryQueryServiceStub(channel)
        for _ in range(6):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stub.GetLibraryItems(messages.GetLibraryItemsRequest())
            assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
    made.stop()
