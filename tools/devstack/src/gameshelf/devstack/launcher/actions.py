"""What the demo buttons do: they publish events as the platform's other services would, and issue tokens."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gameshelf.devstack import demo
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.launcher.orders import PURCHASE, REFUND, DemoOrders
from gameshelf.devstack.launcher.server import DemoCall, DemoRefused
from gameshelf.devstack.tokens import TokenIssuer

PLAYERS = (
    (demo.ANNA, {"ru": "Анна", "en": "Anna"}),
    (demo.VERA, {"ru": "Вера", "en": "Vera"}),
    (demo.BORIS, {"ru": "Борис", "en": "Boris"}),
)
_LONGEST_TOKEN = 24 * 3600


class DemoActions:
    """The calls of the page, for the players of the demo alone."""

    def __init__(self, api: str, pictures: str, issuer: TokenIssuer, brokers: str, orders: DemoOrders) -> None:
        self._api = api
        self._pictures = pictures
        self._issuer = issuer
        self._brokers = brokers
        self._orders = orders

    def by_path(self) -> Mapping[str, DemoCall]:
        return {"/demo/token": self.token, "/demo/buy": self.buy, "/demo/refund": self.refund}

    def config(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The service, the players, and the games of the shop."""
        players = [{"user_id": str(user_id), "name": name} for user_id, name in PLAYERS]
        return {"api": self._api, "players": players, "games": demo.shop(self._pictures)}

    def token(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        seconds = body.get("seconds", 3600)
        if not isinstance(seconds, int) or not 1 <= seconds <= _LONGEST_TOKEN:
            raise DemoRefused(f"seconds: a number from 1 to {_LONGEST_TOKEN} is expected")
        return {"token": self._issuer.issue(_player(body), ttl=seconds)}

    def buy(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        user_id, product_id = _player(body), _game(body)
        return self._publish(PURCHASE, user_id, product_id, [self._orders.open(user_id, product_id)])

    def refund(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        user_id, product_id = _player(body), _game(body)
        orders = self._orders.refund(user_id, product_id)
        if not orders:
            raise DemoRefused("product_id: the player has not bought this game")
        return self._publish(REFUND, user_id, product_id, orders)

    def _publish(self, kind: str, user_id: UUID, product_id: UUID, orders: Sequence[str]) -> Mapping[str, Any]:
        items = [{"productId": str(product_id), "productType": "game", "quantity": 1}]
        bodies = [{"userId": str(user_id), "orderId": order, "items": items} for order in orders]
        events = [CloudEvent(kind, body, source=demo.SOURCE) for body in bodies]
        asyncio.run(publish(self._brokers, events))
        return {"event_ids": [event.id for event in events]}


def _player(body: Mapping[str, Any]) -> UUID:
    return _one_of(body, "user_id", [user_id for user_id, _ in PLAYERS])


def _game(body: Mapping[str, Any]) -> UUID:
    return _one_of(body, "product_id", [demo.product_id(game["slug"]) for game in demo.catalog()])


def _one_of(body: Mapping[str, Any], name: str, known: list[UUID]) -> UUID:
    for one in known:
        if body.get(name) == str(one):
            return one
    raise DemoRefused(f"{name}: an id of the demo is expected")
