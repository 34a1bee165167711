"""Checks that Kafka can be used: it can be reached, accepts the login, and has every topic that is needed."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.metadata import MetadataRequest

_NAMED = 3
"""How many unusable topics a message names."""


class KafkaProbe:
    """Requests the topics from a broker over a connection that is kept open. From Kafka 0.11 on such a request does not
    create a topic.
    """

    def __init__(self, options: dict[str, Any], topics: Collection[str]) -> None:
        self._options = options
        self._topics = sorted(topics)
        self._client: AIOKafkaClient | None = None

    async def problem(self) -> str | None:
        """Describes the problem; returns None if there is none. Raises TimeoutError, OSError, KafkaError if no broker
        answers.
        """
        client = await self._connected()
        try:
            request = MetadataRequest(self._topics, allow_auto_topic_creation=False)
            answer = (await client.send(client.get_random_node(), request)).to_object()
        except BaseException:
            await self.close()
            raise
        wrong: dict[str, list[str]] = {"missing": [], "not allowed": [], "not available": []}
        for topic in answer["topics"]:
            kind = _KINDS.get(topic["error_code"], "not available") if topic["error_code"] else None
            if kind:
                wrong[kind].append(topic["topic"])
        problems = [f"topics {kind}: {_some(names)}" for kind, names in wrong.items() if names]
        return "; ".join(problems) or None

    async def close(self) -> None:
        """Closes the connection; the next question opens another one."""
        client, self._client = self._client, None
        if client:
            with suppress(Exception):
                await client.close()

    async def _connected(self) -> AIOKafkaClient:
        if self._client is None:
            client = AIOKafkaClient(**self._options)
            try:
                await client.bootstrap()
            except BaseException:
                with suppress(Exception, asyncio.CancelledError):
                    await client.close()
                raise
            self._client = client
        return self._client


_KINDS = {
    errors.UnknownTopicOrPartitionError.errno: "missing",
    errors.InvalidTopicError.errno: "missing",
    errors.TopicAuthorizationFailedError.errno: "not allowed",
}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
