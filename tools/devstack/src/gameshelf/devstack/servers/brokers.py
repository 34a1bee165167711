"""Several brokers of Apache Kafka 4, each with a copy of every partition; only ``--real`` has them."""

from pathlib import Path

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process
from gameshelf.devstack.servers import apache_kafka
from gameshelf.devstack.servers.base import Server, free_port


class Broker(Server):
    """One of them. Started again after ``kill`` it catches up with the others."""

    name = "kafka"

    def __init__(self, directory: Path, node: apache_kafka.KafkaNode) -> None:
        super().__init__(directory)
        self._node = node

    def launch(self) -> Process:
        return apache_kafka.launch(self.directory, self.port, self.log, self._node)


class Brokers:
    """Three or more brokers that know each other, without topics. A service uses them in place of a ``Kafka``."""

    def __init__(self, directory: Path, count: int = 3) -> None:
        controllers = tuple(free_port() for _ in range(count))
        nodes = [apache_kafka.KafkaNode(number, controllers) for number in range(1, count + 1)]
        self.each = [Broker(directory / f"broker-{node.number}", node) for node in nodes]

    @property
    def address(self) -> str:
        """``host:port`` of each, with commas."""
        return ",".join(f"{HOST}:{broker.port}" for broker in self.each)

    def settings(self) -> dict[str, str]:
        """Returns the settings with which the service uses them."""
        return {"KAFKA_BROKERS": self.address, "KAFKA_ENABLE_IDEMPOTENCE": "true"}

    def start(self) -> None:
        """Starts all of them: none serves before a majority does. Raises StartFailed."""
        for broker in self.each:
            broker.begin()
        for broker in self.each:
            broker.wait_until_ready()

    def kill(self) -> None:
        """Ends all of them at once."""
        for broker in self.each:
            broker.kill()
