"""Demo data: a catalog of made-up games, and two players, told to the service as other services would tell it.

Every event has a fixed id, so telling it all again changes nothing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from uuid import NAMESPACE_URL, UUID, uuid5

from gameshelf.devstack.events import CloudEvent

ANNA = UUID("a11a0000-0000-4000-8000-000000000001")
ANNAS_GAMES = 15
BORIS = UUID("b0b00000-0000-4000-8000-000000000002")
SOURCE = "gameshelf.demo"
_ACHIEVEMENTS: tuple[dict[str, object], ...] = (
    {"apiName": "FIRST_STEP", "name": {"ru": "Первый шаг", "en": "First step"}},
    {"apiName": "COLLECTOR", "name": {"ru": "Коллекционер", "en": "Collector"}, "targetProgress": 10},
    {"apiName": "SECRET", "name": {"ru": "Тайная комната", "en": "Secret room"}, "isHidden": True},
)
"""What can be achieved in every made-up game."""
_BEGINNING = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def catalog() -> list[dict[str, object]]:
    """The made-up games: ``slug, ru, en`` and, where they differ, ``free``, ``shareable``, ``type``."""
    games: list[dict[str, object]] = json.loads((files(__package__) / "demo_catalog.json").read_text(encoding="utf-8"))
    return games


def product_id(slug: str) -> UUID:
    """The id of a made-up game."""
    return uuid5(NAMESPACE_URL, f"https://gameshelf.example/games/{slug}")


def achievement_id(slug: str, api_name: str) -> UUID:
    """The id of an achievement of a made-up game."""
    return uuid5(product_id(slug), api_name)


def events() -> list[CloudEvent]:
    """Everything there is to tell: the catalog, then the players' purchases, keys and gifts."""
    slugs = [str(game["slug"]) for game in catalog()]
    told = [_product(game) for game in catalog()] + [_achievements(slug) for slug in slugs]
    for index, slug in enumerate(slugs[: ANNAS_GAMES - 1]):
        told.append(_purchase(ANNA, slug, index))
    for index, slug in enumerate(slugs[10:17]):
        told.append(_purchase(BORIS, slug, index))
    gift = {"userId": str(ANNA), "productId": str(product_id(slugs[20])), "giftId": "demo-gift-1"}
    told.append(_event("com.platform.payment.gift.received.v1", gift, "gift-1", 40))
    installed = {"userId": str(ANNA), "productId": str(product_id(slugs[0])), "versionId": "1.4.2"}
    told.append(_event("com.platform.download.game.installed.v1", installed, "installed-1", 41))
    return told


def not_yet_owned() -> UUID:
    """A game for Anna to buy in the tour."""
    return product_id("northern-lights-express")


def _product(game: dict[str, object]) -> CloudEvent:
    slug = str(game["slug"])
    data = {
        "productId": str(product_id(slug)),
        "newTitle": {"ru": game["ru"], "en": game["en"]},
        "newCoverImageUrl": f"https://cdn.gameshelf.example/covers/{slug}.jpg",
        "productType": game.get("type", "game"),
        "isFreeToPlay": game.get("free", False),
        "familySharingAllowed": game.get("shareable", True),
    }
    return _event("com.platform.catalog.product.created.v1", data, f"product-{slug}", 0)


def _achievements(slug: str) -> CloudEvent:
    achievements = [{"id": str(achievement_id(slug, str(one["apiName"]))), **one} for one in _ACHIEVEMENTS]
    data = {"productId": str(product_id(slug)), "achievements": achievements}
    return _event("com.platform.catalog.product.updated.v1", data, f"achievements-{slug}", 1)


def _purchase(user_id: UUID, slug: str, index: int) -> CloudEvent:
    at = _BEGINNING + timedelta(days=20 * index)
    data = {
        "userId": str(user_id),
        "orderId": f"demo-order-{user_id}-{index}",
        "items": [{"productId": str(product_id(slug)), "productType": "game", "quantity": 1}],
        "purchaseTimestamp": at.isoformat(),
    }
    return _event("com.platform.payment.purchase.completed.v1", data, f"purchase-{user_id}-{index}", 20 * index)


def _event(kind: str, data: Mapping[str, object], name: str, day: int) -> CloudEvent:
    event_id = str(uuid5(NAMESPACE_URL, f"https://gameshelf.example/demo/{name}"))
    return CloudEvent(kind, data, id=event_id, source=SOURCE, time=_BEGINNING + timedelta(days=day))
