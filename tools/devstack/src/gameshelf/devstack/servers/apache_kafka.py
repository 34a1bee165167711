"""Apache Kafka 4 in KRaft mode, from the jars that ``.ci/real-servers`` puts together: one node, or one of several."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import free_port

_CLUSTER = "Z2FtZXNoZWxmLWRldi0wMQ"
# A small heap, and no compiler that a short life does not pay for: each module of tests has a broker of its own.
_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dlog4j2.level=WARN")


@dataclass(frozen=True, slots=True)
class KafkaNode:
    """One of several nodes, each of which is broker and controller. The first has number 1."""

    number: int
    controllers: tuple[int, ...]
    """The ports of the controllers of all nodes, in the order of their numbers."""


def launch(directory: Path, port: int, log: Path, node: KafkaNode | None = None) -> Process:
    """Starts a broker whose data is kept over a restart. Raises StartFailed."""
    config = directory / "server.properties"
    settings = settings_of(directory, port, node)
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    if not (directory / "data" / "meta.properties").exists():
        # Several nodes know each other from their settings; one alone is formatted as such.
        options = ("format", "--cluster-id", _CLUSTER, "--config", str(config), *(() if node else ("--standalone",)))
        formatting = Process(_java("kafka.tools.StorageTool", *options), directory / "tools.log")
        if not formatting.wait(120) or formatting.returncode != 0:
            raise StartFailed(f"the data of Kafka could not be formatted:\n{formatting.tail()}")
    return Process(_java("kafka.Kafka", str(config)), log)


def settings_of(directory: Path, port: int, node: KafkaNode | None) -> Mapping[str, str]:
    """Returns the settings of a node that is alone, or of one of several."""
    return _of_several(directory, port, node) if node else _alone(directory, port)


def _java(program: str, *arguments: str) -> list[str]:
    jars = choice.installed(choice.TOOLS / "kafka")
    java = shutil.which("java")
    if java is None:
        raise StartFailed("java is not installed: `.ci/real-servers` does it on Debian 12")
    return [java, *_JVM, "-cp", f"{jars}/*", program, *arguments]


def _alone(directory: Path, port: int) -> Mapping[str, str]:
    # Another port at each start is fine: the one node finds itself by it.
    controller = free_port()
    return {
        **_common(directory, 1, port, controller),
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
    }


def _of_several(directory: Path, port: int, node: KafkaNode) -> Mapping[str, str]:
    voters = ",".join(f"{number}@{HOST}:{one}" for number, one in enumerate(node.controllers, 1))
    return {
        **_common(directory, node.number, port, node.controllers[node.number - 1]),
        "controller.quorum.voters": voters,
        # A killed broker loses its partitions after this time; Kafka's own value is 9 s.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


def _common(directory: Path, number: int, port: int, controller: int) -> Mapping[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(directory / "data"),
        "offsets.topic.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # Tests wait for the end of a session of a consumer that was killed.
        "group.min.session.timeout.ms": "1000",
    }
