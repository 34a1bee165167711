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

    def new(self, user_id: UUID, product_id: UUID) -> str:
        """An order of its own for each purchase: one that was refunded stays refunded."""
        order = f"launcher-{uuid4()}"
        with self._lock:
            orders = self._read()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps({**orders, _key(user_id, product_id): order}), encoding="utf-8")
        return order

    def latest(self, user_id: UUID, product_id: UUID) -> str | None:
        """The order that the player has the game from; None if it came in another way."""
        with self._lock:
            return self._read().get(_key(user_id, product_id)) or self._demo.get((user_id, product_id))

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        orders: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        return orders


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
