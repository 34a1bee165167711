"""``libctl orders``: an order as it came, and what became of it."""

import asyncio
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import wait_for

PAYMENTS = "com.platform.payment.events.v1"


class Order:
    """An order of somebody, and what Payment says of it."""

    def __init__(self, platform, support):
        self.platform, self.support = platform, support
        self.user, self.game, self.id = uuid4(), uuid4(), f"order-{uuid4()}"

    def says(self, what, **data):
        items = [{"productId": str(self.game), "productType": "game", "quantity": 2}]
        data = {"userId": str(self.user), "orderId": self.id, "items": items, **data}
        event = CloudEvent(f"com.platform.payment.purchase.{what}.v1", data)
        asyncio.run(publish(self.platform.kafka.address, [event]))

    def shown(self):
        return self.support.data("orders", "show", self.id)

    def facts(self):
        ran = self.support.run("--json", "orders", "show", self.id)
        return [fact["kind"] for fact in ran.data["products"][0]["grant"]["facts"]] if ran.code == 0 else []


@pytest.fixture
def order(platform, support):
    return Order(platform, support)


def test_an_order_is_found_by_its_id_alone_with_everything_about_it(order, support):
    order.says("completed")
    order.says("refunded", refundId="r-1", items=[{"productId": str(order.game), "quantity": 1}])
    wait_for(lambda: order.facts() == ["refund"])
    found = order.shown()
    assert (found["user_id"], found["other_user_ids"], found["dead_letters"]) == (str(order.user), [], [])
    [product] = found["products"]
    assert (product["product_id"], product["grant"]["quantity"], product["grant"]["copies_left"]) == (
        str(order.game),
        2,
        1,
    )
    assert len(found["events"]) == 2
    assert all(one["event_id"] and one["source"] for one in found["events"])
    for columns in (80, 120):
        support.columns = columns
        shown = support.shows("orders", "show", order.id)
        for words in (str(order.user), str(order.game), "refunded 1", "events of the same commits: 2"):
            assert words in shown


def test_an_order_that_was_not_applied_is_found_with_its_user(order, support):
    order.says("completed", items="nothing")
    wait_for(lambda: support.data("events", "dlq", "list", "--user", order.user)["total"])
    assert support.refused("orders", "show", order.id) == (3, "NOT_FOUND")
    found = support.data("orders", "show", order.id, "--user", order.user)
    assert (found["products"], [one["topic"] for one in found["dead_letters"]]) == ([], [PAYMENTS])
    shown = support.shows("orders", "show", order.id, "--user", order.user)
    for words in ("products: none", "events of the same commits: none\n", "dead letters that name it: 1"):
        assert words in shown
    assert "looks through the dead letters" in support.run("orders", "show", order.id).err
    ran = support.run("orders", "show", "another", "--user", order.user)
    assert ran.code == 3
    assert "no dead letter of this user names it" in ran.err
    assert "looks through the dead letters" not in ran.err  # it has done so


def test_an_order_may_be_printed_otherwise_than_it_is_spelt(order, support, monkeypatch):
    order.says("completed")
    wait_for(lambda: support.run("orders", "show", order.id).code == 0)
    for typed in (order.id.upper(), f" {order.id.upper()} "):
        ran = support.run("orders", "show", typed)
        assert (ran.code, f"Try: libctl orders show {order.id}\n" in ran.err) == (3, True)
    assert support.run("orders", "show", f" {order.id} ").code == 0
    assert "--user USER" in support.run("orders", "show", order.id.upper()[:-1]).err  # it is another one
    assert "At most" not in support.run("orders", "show", order.id).err
    monkeypatch.setattr("gameshelf.libctl.commands.orders._MOST_PRODUCTS", 1)
    assert f"libctl library list {order.user} --product PRODUCT" in support.run("orders", "show", order.id).err


def test_an_order_of_somebody_else_is_no_order_of_this_user(order, support):
    order.says("completed")
    wait_for(lambda: support.run("orders", "show", order.id).code == 0)
    ran = support.run("orders", "show", order.id, "--user", uuid4())
    assert (ran.code, ran.out) == (3, "")
    assert "but of another one" in ran.err


def test_an_order_of_an_erased_user_is_no_longer_found(order, admin, support):
    order.says("completed")
    wait_for(lambda: support.run("orders", "show", order.id).code == 0)
    admin.applies("user", "erase", order.user, "--confirm", order.user)
    assert support.refused("orders", "show", order.id) == (3, "NOT_FOUND")
    assert support.refused("orders", "show", order.id, "--user", order.user) == (3, "NOT_FOUND")


@pytest.mark.parametrize("wrong", ["", "9" * 201])
def test_what_can_be_no_order_is_a_mistake(support, wrong):
    assert support.refused("orders", "show", wrong)[0] == 2
