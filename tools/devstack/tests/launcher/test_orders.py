"""Orders of the demo's players, which refunds name."""

from datetime import UTC, datetime
from uuid import uuid4

from gameshelf.devstack import demo
from gameshelf.devstack.launcher.orders import DemoOrders, orders_of

OWNED = demo.product_id("iron-samovar")


def test_a_game_of_the_demo_has_the_order_of_its_event():
    orders = orders_of(demo.events("http://pictures", datetime.now(UTC)))
    assert orders[demo.ANNA, OWNED] == f"demo-order-{demo.ANNA}-0"
    assert (demo.VERA, OWNED) not in orders


def test_a_game_that_is_bought_twice_has_one_order_until_it_is_refunded(tmp_path):
    file = tmp_path / "data" / "orders.json"
    orders = DemoOrders(file, {})
    assert orders.refund(demo.ANNA, OWNED) is None
    bought = orders.open(demo.ANNA, OWNED)
    assert orders.open(demo.ANNA, OWNED) == bought
    assert orders.open(demo.VERA, OWNED) != bought
    assert DemoOrders(file, {}).refund(demo.ANNA, OWNED) == bought  # also after a restart
    assert orders.refund(demo.ANNA, OWNED) == bought
    assert DemoOrders(file, {}).open(demo.ANNA, OWNED) != bought


def test_an_order_of_the_demo_is_refunded_once_and_followed_by_another(tmp_path):
    orders = DemoOrders(tmp_path / "orders.json", {(demo.ANNA, OWNED): "demo"})
    assert orders.open(demo.ANNA, OWNED) == "demo"
    assert orders.refund(demo.ANNA, OWNED) == "demo"
    again = orders.open(demo.ANNA, OWNED)
    assert again != "demo"
    assert orders.refund(demo.ANNA, OWNED) == again
    assert orders.refund(demo.ANNA, uuid4()) is None
