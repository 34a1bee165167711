"""Orders of the demo's players, which refunds name."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from gameshelf.devstack import demo
from gameshelf.devstack.launcher.orders import DemoOrders, orders_of

OWNED = demo.product_id("iron-samovar")


def test_a_game_of_the_demo_has_the_order_of_its_event():
    orders = orders_of(demo.events("http://pictures", datetime.now(UTC)))
    assert orders[demo.ANNA, OWNED] == f"demo-order-{demo.ANNA}-0"
    assert (demo.VERA, OWNED) not in orders


def test_each_purchase_is_an_order_and_a_refund_names_all_of_them(tmp_path):
    file = tmp_path / "data" / "orders.json"
    orders = DemoOrders(file, {})
    assert orders.refund(demo.ANNA, OWNED) == []
    first = orders.open(demo.ANNA, OWNED)
    # The first one may have been refunded or revoked elsewhere: it would not give the game again.
    second = orders.open(demo.ANNA, OWNED)
    assert len({first, second, orders.open(demo.VERA, OWNED)}) == 3
    assert DemoOrders(file, {}).refund(demo.ANNA, OWNED) == [first, second]  # also after a restart
    assert orders.refund(demo.ANNA, OWNED) == [first, second]
    third = DemoOrders(file, {}).open(demo.ANNA, OWNED)
    assert orders.refund(demo.ANNA, OWNED) == [third]


def test_an_order_of_the_demo_is_refunded_with_those_that_followed_it(tmp_path):
    orders = DemoOrders(tmp_path / "orders.json", {(demo.ANNA, OWNED): "demo"})
    again = orders.open(demo.ANNA, OWNED)  # support has taken the demo's copy away
    assert orders.refund(demo.ANNA, OWNED) == ["demo", again]
    later = orders.open(demo.ANNA, OWNED)
    assert orders.refund(demo.ANNA, OWNED) == [later]
    assert orders.refund(demo.ANNA, uuid4()) == []


def test_an_order_of_the_demo_is_refunded_alone_where_nothing_followed_it(tmp_path):
    orders = DemoOrders(tmp_path / "orders.json", {(demo.ANNA, OWNED): "demo"})
    assert orders.refund(demo.ANNA, OWNED) == ["demo"]
    again = orders.open(demo.ANNA, OWNED)
    assert again != "demo"
    assert orders.refund(demo.ANNA, OWNED) == [again]


def test_the_orders_that_are_kept_have_a_limit(tmp_path):
    orders = DemoOrders(tmp_path / "orders.json", {})
    opened = [orders.open(demo.ANNA, OWNED) for _ in range(25)]
    assert orders.refund(demo.ANNA, OWNED) == opened[-20:]


def test_a_file_of_an_earlier_version_is_read(tmp_path):
    file = tmp_path / "orders.json"
    again, gone = f"{demo.ANNA}/{OWNED}", f"{demo.VERA}/{OWNED}"
    kept = {again: "new", f"{again}/refunded": "old", gone: "old", f"{gone}/refunded": "old"}
    file.write_text(json.dumps(kept), encoding="utf-8")
    orders = DemoOrders(file, {})
    later = orders.open(demo.ANNA, OWNED)
    assert orders.refund(demo.ANNA, OWNED) == ["new", later]
    later = orders.open(demo.VERA, OWNED)
    assert orders.refund(demo.VERA, OWNED) == [later]
