"""Which order a game of a demo player is from: a refund has to name it."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

from gameshelf.devstack.events import CloudEvent

PURCHASE = "com.platform.payment.purchase.completed.v1"
REFUND = "com.platform.payment.purchase.refunded.v1"


class DemoOrders:
    """The orders of the demo, and those of the button, which are kept in a file."""

    def __init__(self, file: Path, demo: Mapping[tuple[UUID, UUID], str]) -> None:
        self._file = file
        self._demo = demo
        self._lock = threading.Lock()

    def open(self, user_id: UUID, product_id: UUID) -> str:
        """The order of a purchase: one that is not refunded is meant again, and one that was stays refunded.

        A button that is pressed twice buys the game once, so that one refund takes it back.
        """
        with self._lock:
            orders, key = self._read(), _key(user_id, product_id)
            order = self._latest(orders, user_id, product_id)
            if order is not None and orders.get(_refunded(key)) != order:
                return order
            order = f"launcher-{uuid4()}"
            self._write({**orders, key: order})
            return order

    def refund(self, user_id: UUID, product_id: UUID) -> str | None:
        """The order that the player has the game from; None if it came in another way. The next purchase is another."""
        with self._lock:
            orders = self._read()
            order = self._latest(orders, user_id, product_id)
            if order is not None:
                self._write({**orders, _refunded(_key(user_id, product_id)): order})
            return order

    def _latest(self, orders: Mapping[str, str], user_id: UUID, product_id: UUID) -> str | None:
        return orders.get(_key(user_id, product_id)) or self._demo.get((user_id, product_id))

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        orders: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        return orders

    def _write(self, orders: Mapping[str, str]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(orders), encoding="utf-8")
        draft.replace(self._file)


def orders_of(events: list[CloudEvent]) -> Mapping[tuple[UUID, UUID], str]:
    """The orders of purchases, by player and product."""
    return {
        (UUID(event.data["userId"]), UUID(item["productId"])): event.data["orderId"]
        for event in events
        if event.type == PURCHASE
        for item in event.data["items"]
    }


def _key(user_id: UUID, product_id: UUID) -> str:
    return f"{user_id}/{product_id}"


def _refunded(key: str) -> str:
    return f"{key}/refunded"
