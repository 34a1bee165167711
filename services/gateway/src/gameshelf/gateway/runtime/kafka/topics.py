"""Makes the topics that the service needs (``gameshelf-gateway prepare-topics``)."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code
from gameshelf.gateway.runtime.kafka.client import connection_options
from gameshelf.gateway.runtime.settings import Settings

DEAD_LETTER_DAYS = 90
"""As long as the database keeps dead letters: a record can be looked up for as long as it can be replayed."""
_DAY_MS = 86_400_000
_EXISTS = 36
"""Kafka's code for a topic that exists already."""


class TopicsRefused(Exception):
    """The brokers can't be reached, or refuse a topic; the message is one line."""


@dataclass(frozen=True, slots=True)
class PlannedTopic:
    """A topic as it is to be made."""

    name: str
    partitions: int
    replication: int
    retention_days: int

    @property
    def configs(self) -> dict[str, str]:
        """A record counts as written when all replicas but one have it, so that one broker may be down."""
        return {
            "cleanup.policy": "delete",
            "min.insync.replicas": str(max(1, self.replication - 1)),
            "retention.ms": str(self.retention_days * _DAY_MS),
        }


def add_topic_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--all", action="store_true", help="the topics of other services as well, if you run all")
    parser.add_argument("--partitions", type=int, default=12, help="partitions of each topic (default: 12)")
    parser.add_argument("--replication", type=int, default=3, help="replicas of each partition (default: 3)")
    parser.add_argument("--retention-days", type=int, default=14, help="how long records are kept (default: 14)")


def planned_topics(settings: Settings, others: Iterable[str], options: argparse.Namespace) -> Sequence[PlannedTopic]:
    """Returns our own topics and ``others``, each once."""
    days = dict.fromkeys((settings.kafka_topic_events, *others), options.retention_days)
    days[settings.kafka_topic_dead_letters] = DEAD_LETTER_DAYS
    return [PlannedTopic(name, options.partitions, options.replication, kept) for name, kept in days.items()]


async def prepare_topics(settings: Settings, topics: Sequence[PlannedTopic]) -> Mapping[str, str]:
    """Makes the topics that are missing, and returns the outcome of each. A topic that exists is not changed: more
    partitions would spoil the order of the records of a key. Raises TopicsRefused.
    """
    admin = AIOKafkaAdminClient(**connection_options(settings))
    try:
        await admin.start()
    except KafkaConnectionError as error:
        raise TopicsRefused(f"KAFKA_BROKERS: no broker can be reached: {error}") from None
    try:
        response = await admin.create_topics(
            [NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=topic.configs) for topic in topics]
        )
        codes = {error[0]: error[1] for error in response.topic_errors}
    except KafkaError as error:
        raise TopicsRefused(f"the brokers refuse the topics: {error}") from None
    finally:
        await admin.close()
    return outcomes_of(topics, codes)


def outcomes_of(topics: Sequence[PlannedTopic], codes: Mapping[str, int]) -> Mapping[str, str]:
    """Returns a line per topic from the brokers' codes. Raises TopicsRefused if one was neither made nor there."""
    refused = {name: for_code(code).__name__ for name, code in codes.items() if code not in (0, _EXISTS)}
    if refused:
        reasons = ", ".join(f"{name}: {reason}" for name, reason in sorted(refused.items()))
        raise TopicsRefused(f"the brokers refuse topics: {reasons}")
    made = {topic.name: f"made with {topic.partitions} partitions" for topic in topics}
    return {name: "exists" if codes.get(name) == _EXISTS else outcome for name, outcome in made.items()}
