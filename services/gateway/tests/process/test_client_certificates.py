"""Kafka and Redis by TLS, with a CA of our own and a client certificate: against servers that insist on both.

The embedded servers speak no TLS, so a proxy does before each of them, as it is done in front of real ones.
"""

import asyncio
import ssl
from uuid import uuid4

import pytest
from gameshelf.devstack.proxy import KafkaProxy, Proxy
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.storage.redis import connect
from redis.exceptions import ConnectionError as RedisConnectionError


def terminating(certificate, *, wants_client):
    """The TLS of a server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate.ca)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.verify_mode = ssl.CERT_REQUIRED if wants_client else ssl.CERT_NONE
    return context


@pytest.fixture(scope="module")
async def kafka(platform, make_certificate):
    async with KafkaProxy(platform.kafka.port, terminating(make_certificate("kafka.test"), wants_client=True)) as made:
        yield made


@pytest.fixture(scope="module")
async def redis(platform, make_certificate):
    async with Proxy(platform.valkey.port, terminating(make_certificate("redis.test"), wants_client=False)) as made:
        yield made


@pytest.fixture(scope="module")
def kafka_settings(kafka, make_certificate):
    own = make_certificate("library.test")
    return {
        "KAFKA_BROKERS": kafka.address,
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CA_FILE": str(own.ca),
        "KAFKA_SSL_CERT_FILE": str(own.certificate),
        "KAFKA_SSL_KEY_FILE": str(own.key),
    }


@pytest.fixture(scope="module")
def redis_settings(redis, make_certificate):
    return {"REDIS_ADDR": redis.address, "REDIS_TLS": "true", "REDIS_CA_FILE": str(make_certificate("library.test").ca)}


@pytest.fixture(scope="module")
async def service(platform, kafka_settings, redis_settings):
    made = platform.service(**kafka_settings, **redis_settings, RATE_LIMIT_USER_PER_MINUTE="1000")
    await asyncio.to_thread(made.start)
    yield made
    await asyncio.to_thread(made.stop)


async def test_purchases_come_and_events_go_by_tls(platform, service, kafka, redis, player, wait_until, read_records):
    game = uuid4()
    await player.buys(game)

    async def owned():
        return await player.products() == {str(game)}

    await wait_until(owned)
    limited = await player.http.get("/items")
    assert limited.headers["X-RateLimit-Remaining"] != "1000"  # counted in Redis
    await read_records(
        platform,
        "com.platform.library.events.v1",
        lambda records: any(str(player.id).encode() == record.key for record in records),
    )
    ready = (await player.http.get(service.url + "/health/ready")).json()
    assert (ready["dependencies"]["kafka"], ready["dependencies"]["redis"]) == ("ok", "ok")
    assert min(kafka.connections, redis.connections) > 0


@pytest.mark.parametrize("change", [{"KAFKA_SSL_CERT_FILE": "", "KAFKA_SSL_KEY_FILE": ""}, {"KAFKA_SSL_CA_FILE": ""}])
async def test_without_its_certificate_or_ca_kafka_alone_is_degraded(platform, kafka_settings, new_player, change):
    settings = {name: value for name, value in {**kafka_settings, **change}.items() if value}
    made = platform.service(LIBRARY_SERVICE_ROLES="api", **settings)
    await asyncio.to_thread(made.start)
    ready = (await new_player(at=made).http.get(made.url + "/health/ready")).json()
    assert ready["dependencies"]["kafka"] == "degraded"
    assert (await new_player(at=made).get("/items"))["data"] == []
    await asyncio.to_thread(made.stop)


async def test_a_redis_whose_certificate_is_not_of_the_ca_is_not_spoken_to(redis_settings):
    settings = {
        "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
        "ERASURE_HASH_KEY": "0123456789abcdef" * 2,
        "LIBRARY_SERVICE_ROLES": "jobs",
        **redis_settings,
    }
    client = connect(load_settings(settings))
    assert await client.ping()
    await client.aclose()
    stranger = connect(load_settings({name: value for name, value in settings.items() if name != "REDIS_CA_FILE"}))
    with pytest.raises(RedisConnectionError, match="certificate"):
        await stranger.ping()
    await stranger.aclose()
