"""After any end of `./dev up`, nothing is left running, and nothing is lost.

A new data directory is filled with databases, tables, the demo and its story, so most tests share one, and a stack that
another one has left.
"""

import asyncio
import fcntl
import json
import os
import pty
import signal
import socket
import termios
import time

import asyncpg
import pytest
from gameshelf.devstack import demo
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

GAME = demo.product_id("iron-samovar")


def until_ready(process):
    """Reads on until the stack is up."""
    said = []
    for line in process.stdout:
        said.append(line)
        if "curl" in line:
            return said
    raise AssertionError("".join(said))


@pytest.mark.long(minutes=1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_however_it_is_ended(stopped, number):
    up = stopped.start("up")
    until_ready(up)
    parts = {"gameshelf.devstack", "gameshelf.gateway", "postgres", "valkey", "tansu", "juicefs"}
    assert {name for name in parts if name in " ".join(stopped.processes().values())} == parts
    up.send_signal(number)
    up.wait(PATIENCE_SECONDS)
    assert stopped.all_gone()
    assert stopped.run("status").returncode == 3


def test_nothing_is_left_running_when_the_terminal_is_closed(dev):
    ours, theirs = pty.openpty()
    up = dev.start(
        "up", stdin=theirs, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    )
    os.close(theirs)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(dev.processes()) < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
    os.close(ours)
    up.wait(PATIENCE_SECONDS)
    assert dev.all_gone()


@pytest.mark.long(minutes=2)
def test_a_killed_start_leaves_nothing_and_the_next_one_works(dev):
    up = dev.start("up")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "postgres" not in "".join(dev.processes().values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    up.kill()
    up.wait(PATIENCE_SECONDS)
    assert dev.all_gone()
    assert dev.run("up", "--detach").returncode == 0
    assert {part["up"] for part in dev.status()} == {True}
    assert dev.run("down").returncode == 0
    assert dev.all_gone()


@pytest.mark.long(minutes=3)
def test_what_has_become_of_the_demo_keeps_no_stack_from_starting(started):
    """Once a demo game was refunded, or a demo player's account deleted, `up` used to wait for ever."""
    refund = {"userId": str(demo.ANNA), "orderId": f"demo-order-{demo.ANNA}-0", "items": [{"productId": str(GAME)}]}
    erased = {"userId": str(demo.BORIS), "deletedAt": "2026-05-01T00:00:00Z"}
    for kind, data in (
        ("com.platform.payment.purchase.refunded.v1", refund),
        ("com.platform.account.user.deleted.v1", erased),
    ):
        assert started.run("publish", kind, json.dumps(data)).returncode == 0
    assert started.until(lambda: not started.owns(demo.ANNA, GAME) and started.items(demo.BORIS).status_code == 401)
    assert started.until(lambda: started.is_forgotten(demo.BORIS))
    assert started.run("down").returncode == 0
    again = started.run("up", "--detach")
    assert again.returncode == 0, again.stderr
    assert not started.owns(demo.ANNA, GAME)


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach")])
def test_a_taken_port_is_named_and_nothing_is_started(dev, arguments):
    with socket.create_server(("127.0.0.1", int(dev.environment["LIBRARY_SERVICE_GRPC_PORT"]))):
        refused = dev.run(*arguments)
        assert refused.returncode == 1
        assert "LIBRARY_SERVICE_GRPC_PORT" in refused.stderr
        assert dev.all_gone()


@pytest.mark.long(minutes=2)
def test_a_dead_server_comes_back_with_its_data(started):
    before = {part["name"]: part["pid"] for part in started.status()}
    for name in before:
        os.kill(int(before[name]), signal.SIGKILL)
    again = started.run("up", "--detach")
    assert again.returncode == 0
    assert "runs already" in again.stderr
    assert started.until(started.is_well)
    assert started.run("status").returncode == 0
    after = {part["name"]: part["pid"] for part in started.status()}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())

    private = started.data / "keys" / "private.pem"
    keys = private.read_bytes() if private.exists() else None
    assert "already" in started.run("up", "--fresh").stderr
    assert started.run("down").returncode == 0
    assert started.all_gone()
    if keys:
        assert private.read_bytes() == keys


@pytest.mark.long(minutes=3)
def test_a_dead_service_is_migrated_only_if_it_does_not_start(started):
    async def forget_a_schema():
        connection = await asyncpg.connect(started.dsn())
        await connection.execute("DROP SCHEMA wishlist CASCADE")
        await connection.close()

    def migrations():
        return (started.data / "log" / "stack.log").read_text().count("migrating the database")

    def restarted():
        """Kills the service; how often the database is migrated until it is back."""
        before, migrated = started.pid("service"), migrations()
        os.kill(before, signal.SIGKILL)
        assert started.until(lambda: started.is_well() and started.pid("service") != before)
        return migrations() - migrated

    assert restarted() == 0
    asyncio.run(forget_a_schema())  # as if the code had a schema that the database lacks
    assert restarted() == 1
    assert started.items(demo.ANNA).status_code == 200
