"""What the demo buttons do, at a service of its own."""

import asyncio
import json
import time
from uuid import uuid4

import httpx
import jwt
import pytest
from gameshelf.devstack import demo
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.launcher.actions import DemoActions
from gameshelf.devstack.launcher.orders import REFUND, DemoOrders
from gameshelf.devstack.launcher.server import DemoRefused
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

GAME = str(demo.not_yet_owned())
ANNA = {"user_id": str(demo.ANNA)}


@pytest.fixture
def actions(platform, token_issuer, tmp_path):
    orders = DemoOrders(tmp_path / "orders.json", {})
    return DemoActions("http://api", "http://pictures", token_issuer, platform.kafka.address, orders).by_path()


def owned(service, platform):
    token = platform.token(demo.ANNA)
    answer = httpx.get(f"{service.api}/items", headers={"Authorization": f"Bearer {token}"})
    return [item["attributes"]["product_id"] for item in answer.json()["data"]]


def until(check):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_game_is_bought_refunded_and_bought_again(actions, service, platform, tmp_path):
    for _ in range(2):
        for _ in range(2):  # a button that is pressed twice
            actions["/demo/buy"]({**ANNA, "product_id": GAME})
        until(lambda: owned(service, platform) == [GAME])
        actions["/demo/refund"]({**ANNA, "product_id": GAME})
        until(lambda: owned(service, platform) == [])
    # Somebody else refunds it, such as `./dev publish`: the page's own orders say nothing of that.
    actions["/demo/buy"]({**ANNA, "product_id": GAME})
    until(lambda: owned(service, platform) == [GAME])
    [order] = json.loads((tmp_path / "orders.json").read_text(encoding="utf-8"))[f"{demo.ANNA}/{GAME}"]
    refunded = {"userId": ANNA["user_id"], "orderId": order, "items": [{"productId": GAME}]}
    asyncio.run(publish(platform.kafka.address, [CloudEvent(REFUND, refunded)]))
    until(lambda: owned(service, platform) == [])
    actions["/demo/buy"]({**ANNA, "product_id": GAME})
    until(lambda: owned(service, platform) == [GAME])


def test_a_token_is_for_a_player_of_the_demo_and_as_long_as_asked(actions):
    claims = jwt.decode(actions["/demo/token"]({**ANNA, "seconds": 5})["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["roles"], claims["exp"] - claims["iat"]) == (str(demo.ANNA), ["user"], 5)


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/demo/token", {"user_id": str(uuid4())}, "user_id"),
        ("/demo/token", {**ANNA, "seconds": 0}, "seconds"),
        ("/demo/token", {**ANNA, "seconds": "long"}, "seconds"),
        ("/demo/buy", {**ANNA, "product_id": str(uuid4())}, "product_id"),
        ("/demo/buy", {**ANNA}, "product_id"),
        ("/demo/refund", {**ANNA, "product_id": GAME}, "has not bought"),
    ],
)
def test_what_is_wrong_is_named(actions, path, body, complaint):
    with pytest.raises(DemoRefused, match=complaint):
        actions[path](body)


def test_the_shop_shows_every_game_in_both_languages(token_issuer, tmp_path):
    made = DemoActions("http://api", "http://pictures", token_issuer, "", DemoOrders(tmp_path / "orders.json", {}))
    config = made.config({})
    assert len(config["games"]) == len(demo.catalog())
    assert {one["product_id"] for one in config["games"]} == {
        str(demo.product_id(one["slug"])) for one in demo.catalog()
    }
    night_tram = next(one for one in config["games"] if one["title"]["en"] == "Night Tram")
    assert night_tram["price_minor"] == 79900 * 25 // 100
    assert config["players"][0] == {"user_id": str(demo.ANNA), "name": {"ru": "Анна", "en": "Anna"}}
