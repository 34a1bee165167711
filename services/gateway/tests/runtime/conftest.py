"""Fixtures that the tests of the runtime share: a clock, a migrated database, and a service behind a proxy of Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from gameshelf.devstack.proxy import KafkaProxy
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.gateway.runtime.tables import MIGRATIONS


class Clock:
    """Seconds that pass when a test changes ``now``."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def dsn(create_database: Callable[..., str]) -> str:
    """The DSN of a database with the runtime's tables."""
    return create_database(MIGRATIONS)


@pytest.fixture(scope="module")
async def proxy(platform: StartedPlatform) -> AsyncIterator[KafkaProxy]:
    """A proxy before the platform's Kafka, which can damage answers."""
    async with KafkaProxy(platform.kafka.port) as made:
        yield made


@pytest.fixture(scope="module")
async def behind_kafka_proxy(platform: StartedPlatform, proxy: KafkaProxy) -> AsyncIterator[Service]:
    """A service that reaches Kafka by the proxy."""
    made = platform.service(KAFKA_BROKERS=proxy.address)
    await asyncio.to_thread(made.start)
    yield made
    await asyncio.to_thread(made.stop)
