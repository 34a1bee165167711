"""Which order a game of a demo player is from: a refund has to name it."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from gameshelf.devstack.events import CloudEvent

PURCHASE = "com.platform.payment.purchase.completed.v1"
REFUND = "com.platform.payment.purchase.refunded.v1"
_MOST = 20
"""Orders of a game that a refund names; more are bought only if support takes each of them away."""


class DemoOrders:
    """The orders of the demo, and those of the button, which are kept in a file."""

    def __init__(self, file: Path, demo: Mapping[tuple[UUID, UUID], str]) -> None:
        self._file = file
        self._demo = demo
        self._lock = threading.Lock()

    def open(self, user_id: UUID, product_id: UUID) -> str:
        """A new order. An earlier one may be refunded or revoked elsewhere, and then gives the game no more."""
        with self._lock:
            orders, key = self._read(), _key(user_id, product_id)
            order = f"launcher-{uuid4()}"
            earlier = self._of(orders, user_id, product_id)
            kept = [] if orders.get(_refunded(key)) == earlier else earlier
            self._write({**orders, key: [*kept, order][-_MOST:]})
            return order

    def refund(self, user_id: UUID, product_id: UUID) -> Sequence[str]:
        """All orders since the last refund, so that a button that was pressed twice is taken back as a whole.

        The same ones again until the next purchase; none if the game came in another way.
        """
        with self._lock:
            orders = self._read()
            found = self._of(orders, user_id, product_id)
            self._write({**orders, _refunded(_key(user_id, product_id)): found})
            return found

    def _of(self, orders: Mapping[str, list[str]], user_id: UUID, product_id: UUID) -> list[str]:
        demo = self._demo.get((user_id, product_id))
        return orders.get(_key(user_id, product_id)) or ([demo] if demo else [])

    def _read(self) -> dict[str, list[str]]:
        if not self._file.exists():
            return {}
        orders: dict[str, str | list[str]] = json.loads(self._file.read_text(encoding="utf-8"))
        # A file of an earlier version has one order of each game.
        return {key: [found] if isinstance(found, str) else found for key, found in orders.items()}

    def _write(self, orders: Mapping[str, list[str]]) -> None:
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
