"""Servers of Redis or Valkey by sentinels and as a cluster, each kind with replicas that take over."""

import time
from dataclasses import dataclass, field

import pytest
from gameshelf.devstack.ports import HOST, listens
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.servers.valkey import binary
from gameshelf.gateway.configuration import load_settings
from redis import Redis as BlockingRedis

USER, PASSWORD = "library", "s3cret"
ACL = ["--user", USER, "on", f">{PASSWORD}", "~*", "&*", "+@all"]
SLOTS = 16384


@dataclass
class Node:
    """One server, which can be started again with the same data and port."""

    command: list[str]
    port: int
    folder: object
    process: Process | None = None

    def start(self):
        self.process = Process(self.command, self.folder / "log")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not listens(self.port):
            assert self.process.returncode is None, self.process.tail()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def ask(self, *command):
        with BlockingRedis(host=HOST, port=self.port, socket_timeout=5) as client:
            if command[0] == "CLUSTER":
                return client.cluster(*command[1:])  # reads the answer of each
            return client.execute_command(*command)


@dataclass
class Group:
    """Servers that know each other, and the settings with which the service finds them."""

    settings: dict[str, str]
    nodes: list[Node] = field(default_factory=list)

    @property
    def running(self):
        return [node for node in self.nodes if node.process.returncode is None]


@pytest.fixture(scope="module")
def redis_settings():
    """All settings of a service, with these of Redis."""

    def settings(**redis):
        return load_settings(
            {
                "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
                "ERASURE_HASH_KEY": "0123456789abcdef" * 2,
                "LIBRARY_SERVICE_ROLES": "jobs",
                **redis,
            }
        )

    return settings


@pytest.fixture(scope="module")
def identity():
    """The settings of the user that every server has."""
    return {"REDIS_USERNAME": USER, "REDIS_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Starts a server with more options, or a sentinel with this configuration; a ``Node``."""
    started = []

    def start(*options, config=None):
        folder, port = tmp_path_factory.mktemp("redis"), free_port()
        common = ["--bind", HOST, "--port", str(port)]
        if config:
            (folder / "redis.conf").write_text(config)
            command = [str(binary()), str(folder / "redis.conf"), "--sentinel", *common]
        else:
            command = [str(binary()), *common, "--save", "", "--dir", str(folder), *ACL, *options]
        node = Node(command, port, folder)
        node.start()
        started.append(node)
        return node

    yield start
    for node in started:
        node.process.kill()


def until(check):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def new_cluster(launch):
    """Makes a cluster of three nodes, each with a third of the slots and, if asked for, a replica."""

    def make(*, replicas=False):
        count = 6 if replicas else 3
        bus = [free_port() for _ in range(count)]
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        nodes = [launch(*options, "--cluster-port", str(one), "--repl-diskless-sync-delay", "0") for one in bus]
        for index, node in enumerate(nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            if index < 3:
                last = SLOTS - 1 if index == 2 else index * 5461 + 5460
                node.ask("CLUSTER", "ADDSLOTSRANGE", index * 5461, last)
            if index:
                node.ask("CLUSTER", "MEET", HOST, nodes[0].port, bus[0])
        until(lambda: all(len(node.ask("CLUSTER", "NODES")) == count for node in nodes))
        names = [node.ask("CLUSTER", "MYID").decode() for node in nodes]
        for name, replica in zip(names, nodes[3:], strict=False):
            replica.ask("CLUSTER", "REPLICATE", name)
        until(lambda: all(node.ask("CLUSTER", "INFO")["cluster_state"] == "ok" for node in nodes))
        for replica in nodes[3:]:
            until(lambda replica=replica: replica.ask("INFO", "replication")["master_link_status"] == "up")
        addresses = ",".join(f"{HOST}:{node.port}" for node in nodes)
        return Group({"REDIS_MODE": "cluster", "REDIS_ADDR": addresses}, nodes)

    return make


@pytest.fixture(scope="module")
def new_sentinel(launch):
    """Makes a primary, a replica, and a sentinel that knows them as `library`. The first address answers nothing."""

    def make():
        primary = launch()
        replica = launch("--replicaof", HOST, str(primary.port), "--repl-diskless-sync-delay", "0")
        until(lambda: replica.ask("INFO", "replication")["master_link_status"] == "up")
        config = (
            f"sentinel monitor library {HOST} {primary.port} 1\n"
            f"sentinel known-replica library {HOST} {replica.port}\n"  # else it looks for some after ten seconds
            "sentinel down-after-milliseconds library 1000\nsentinel failover-timeout library 3000\n"
        )
        sentinel = launch(config=config)
        until(lambda: sentinel.ask("SENTINEL", "REPLICAS", "library"))
        settings = {"REDIS_SENTINEL_MASTER": "library", "REDIS_ADDR": f"{HOST}:1,{HOST}:{sentinel.port}"}
        return Group({"REDIS_MODE": "sentinel", **settings}, [primary, replica, sentinel])

    return make
