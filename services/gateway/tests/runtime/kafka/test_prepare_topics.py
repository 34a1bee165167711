"""The command prepare-topics."""

import os
from argparse import ArgumentParser
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from gameshelf.devstack.forked import ForkedService
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.kafka.topics import (
    DEAD_LETTER_DAYS,
    PlannedTopic,
    TopicsRefused,
    add_topic_options,
    outcomes_of,
    planned_topics,
    prepare_topics,
)
from gameshelf.gateway.wiring import CONSUMED, PUBLISHED_FOR_OTHERS

pytestmark = pytest.mark.real

NEEDED = {
    "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
    "ERASURE_HASH_KEY": "0" * 32,
    "LIBRARY_SERVICE_ROLES": "jobs",
}


def options_of(*arguments):
    parser = ArgumentParser()
    add_topic_options(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def environment(platform):
    """That of a service with topics of its own."""
    own = {name: f"prepared-{uuid4()}" for name in ("KAFKA_TOPIC_LIBRARY_EVENTS", "KAFKA_TOPIC_LIBRARY_DLQ")}
    return {**NEEDED, "KAFKA_BROKERS": platform.kafka.address, **own}


def test_dead_letters_are_kept_as_long_as_in_the_database():
    settings = load_settings(NEEDED)
    events, letters = planned_topics(settings, (), options_of("--retention-days", "3"))
    assert (events.name, events.retention_days) == (settings.kafka_topic_events, 3)
    assert (letters.name, letters.retention_days) == (settings.kafka_topic_dead_letters, DEAD_LETTER_DAYS)


def test_topics_of_other_services_are_planned_once_each():
    planned = planned_topics(load_settings(NEEDED), (*CONSUMED.topics, *CONSUMED.topics), options_of())
    assert [topic.name for topic in planned if topic.name in CONSUMED.topics] == list(CONSUMED.topics)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_replica_may_be_away(replication, in_sync):
    configs = PlannedTopic("a", 1, replication, 2).configs
    assert (configs["min.insync.replicas"], configs["retention.ms"]) == (in_sync, "172800000")


def test_the_command_makes_the_missing_topics_and_keeps_others(environment, tmp_path):
    def lines(*options):
        log = tmp_path / f"{'-'.join(options)}.log"
        command = ForkedService("prepare-topics", log, {**os.environ, **environment}, "--replication", "1", *options)
        assert command.wait(PATIENCE_SECONDS)
        assert command.returncode == 0, command.tail()
        return dict(line.split(": ") for line in log.read_text().splitlines())

    own = [environment["KAFKA_TOPIC_LIBRARY_EVENTS"], environment["KAFKA_TOPIC_LIBRARY_DLQ"]]
    assert lines("--partitions", "3") == dict.fromkeys(own, "made with 3 partitions")
    others = dict.fromkeys((*CONSUMED.topics, *PUBLISHED_FOR_OTHERS), "exists")
    assert lines("--all") == {**dict.fromkeys(own, "exists"), **others}


async def test_a_made_topic_has_the_partitions_that_were_asked_for(environment, wait_until):
    settings, name = load_settings(environment), f"prepared-{uuid4()}"
    await prepare_topics(settings, [PlannedTopic(name, 5, 1, 1)])
    admin = AIOKafkaAdminClient(bootstrap_servers=environment["KAFKA_BROKERS"])
    await admin.start()

    async def partitions():  # a broker knows of a topic a moment after the controller has made it
        [topic] = await admin.describe_topics([name])
        return topic["partitions"]

    try:
        assert len(await wait_until(partitions)) == 5
    finally:
        await admin.close()


async def test_brokers_that_are_away_are_named_in_one_line(environment):
    away = load_settings({**environment, "KAFKA_BROKERS": f"127.0.0.1:{free_port()}"})
    with pytest.raises(TopicsRefused, match=r"^KAFKA_BROKERS: no broker can be reached: .*$"):
        await prepare_topics(away, [PlannedTopic("a", 1, 1, 1)])


def test_a_refused_topic_is_named_with_the_brokers_reason():
    planned = [PlannedTopic("a", 1, 3, 1), PlannedTopic("b", 1, 1, 1)]
    with pytest.raises(TopicsRefused, match=r"^the brokers refuse topics: a: InvalidReplicationFactorError$"):
        outcomes_of(planned, {"a": 38, "b": 36})
    assert outcomes_of(planned, {"a": 0, "b": 36}) == {"a": "made with 1 partitions", "b": "exists"}
