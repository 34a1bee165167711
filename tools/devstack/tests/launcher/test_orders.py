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


def test_the_latest_order_counts_also_after_a_restart(tmp_path):
    file = tmp_path / "data" / "orders.json"
    orders = DemoOrders(file, {(demo.ANNA, OWNED): "demo"})
    assert orders.latest(demo.ANNA, OWNED) == "demo"
    assert orders.latest(demo.ANNA, uuid4()) is None
    bought = orders.new(demo.ANNA, OWNED)
    assert bought != "demo"
    assert orders.new(demo.VERA, OWNED) != bought
    assert DemoOrders(file, {}).latest(demo.ANNA, OWNED) == bought
