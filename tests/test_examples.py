"""The examples work as described, against a running service."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def access(service, token, user, product):
    asked = run("check_access.py", token, user, product, LIBRARY_GRPC=service.grpc)
    said, complaint = asked.communicate(timeout=PATIENCE_SECONDS)
    return asked.returncode, said or complaint


@pytest.fixture
def bought(platform):
    user, product = uuid4(), uuid4()
    data = {"userId": str(user), "orderId": "order", "items": [{"productId": str(product)}]}
    return user, product, CloudEvent("com.platform.payment.purchase.completed.v1", data)


async def test_a_device_receives_a_purchase_also_after_the_service_was_away(platform, service, bought):
    user, product, purchase = bought
    token = platform.token(user)
    device = run("listen.py", token, "0", LIBRARY_API=service.api)
    try:
        await publish(platform.kafka.address, [purchase])
        assert json.loads(device.stdout.readline())["payload"]["product_id"] == str(product)
        service.stop()
        another = {**purchase.data, "orderId": "another", "items": [{"productId": str(uuid4())}]}
        await publish(platform.kafka.address, [CloudEvent(purchase.type, another)])
        service.start()
        assert json.loads(device.stdout.readline())["id"] == "2"
    finally:
        device.kill()
        device.communicate()


def test_a_device_with_a_bad_token_gives_up(service):
    device = run("listen.py", "nonsense", LIBRARY_API=service.api)
    _, complaint = device.communicate(timeout=PATIENCE_SECONDS)
    assert device.returncode == 1
    assert "token" in complaint


async def test_another_service_asks_for_access(platform, service, bought):
    user, product, purchase = bought
    token = platform.token(uuid4(), "service")
    assert access(service, token, user, product) == (1, "has_access: False, reason: not_owned, access_type: -\n")
    await publish(platform.kafka.address, [purchase])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := access(service, token, user, product))[0]:
        assert time.monotonic() < deadline
    assert answer == (0, "has_access: True, reason: owned, access_type: purchase\n")
    assert access(service, platform.token(uuid4()), user, product)[1].startswith("PERMISSION_DENIED")


async def test_a_game_reports_a_session_and_an_achievement(platform, service, bought):
    user, product, purchase = bought
    achievement = uuid4()
    said = {"productId": str(product), "achievements": [{"id": str(achievement), "apiName": "FIRST_STEP"}]}
    await publish(platform.kafka.address, [purchase, CloudEvent("com.platform.catalog.product.updated.v1", said)])
    token = platform.token(user)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        game = run("play.py", token, user, product, achievement, LIBRARY_GRPC=service.grpc)
        said, complaint = game.communicate(timeout=PATIENCE_SECONDS)
        if game.returncode == 0:
            break
        assert time.monotonic() < deadline, complaint
    first, *kept, unlocked, last = said.splitlines()
    assert first.startswith("playing since ")
    assert kept[-1] == "heartbeats up to 3 are kept"
    assert unlocked == "FIRST_STEP: unlocked"
    assert last.startswith("completed after ")
