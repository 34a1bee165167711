"""Apache Kafka 4 in KRaft mode, one node, from the jars that ``.ci/real-servers`` puts together."""

import shutil
from pathlib import Path

from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import HOST, free_port

_CLUSTER = "Z2FtZXNoZWxmLWRldi0wMQ"
# A small heap, and no compiler that a short life does not pay for: each module of tests has a broker of its own.
_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


def launch(directory: Path, port: int, log: Path) -> Process:
    """Starts a broker whose data is kept over a restart. Raises StartFailed."""
    # Another port at each start is fine: the one node finds itself by it.
    config = directory / "server.properties"
    config.write_text(_properties(directory / "data", port, free_port()), encoding="utf-8")
    if not (directory / "data" / "meta.properties").exists():
        options = ("format", "--cluster-id", _CLUSTER, "--config", str(config), "--standalone")
        formatting = Process(_java("kafka.tools.StorageTool", *options), directory / "tools.log")
        if not formatting.wait(120) or formatting.returncode != 0:
            raise StartFailed(f"the data of Kafka could not be formatted:\n{formatting.tail()}")
    return Process(_java("kafka.Kafka", str(config)), log)


def _java(program: str, *arguments: str) -> list[str]:
    jars = choice.installed(choice.TOOLS / "kafka")
    java = shutil.which("java")
    if java is None:
        raise StartFailed("java is not installed: `.ci/real-servers` does it on Debian and Ubuntu")
    return [java, *_JVM, "-cp", f"{jars}/*", program, *arguments]


def _properties(data: Path, port: int, controller: int) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Tests wait for the end of a session of a consumer that was killed.
        "group.min.session.timeout.ms": "1000",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
