"""Demo data: a catalog of made-up games and three players, as the events that other services would publish.

Every event has a fixed id, so publishing the events again changes nothing. The id of a sale contains the week, so a
sale is always active. ``demo_story`` contains the players' own actions.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from gameshelf.devstack.drawing import cover, icon
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.people import Person

ANNA = UUID("a11a0000-0000-4000-8000-000000000001")
ANNAS_GAMES = 15
BORIS = UUID("b0b00000-0000-4000-8000-000000000002")
VERA = UUID("5e4a0000-0000-4000-8000-000000000003")
SOURCE = "gameshelf.demo"
_ACHIEVEMENTS: tuple[dict[str, Any], ...] = (
    {
        "apiName": "FIRST_STEP",
        "name": {"ru": "Первый шаг", "en": "First step"},
        "description": {"ru": "Закончить обучение", "en": "Finish the tutorial"},
    },
    {
        "apiName": "COLLECTOR",
        "name": {"ru": "Коллекционер", "en": "Collector"},
        "description": {"ru": "Найти десять реликвий", "en": "Find ten relics"},
        "targetProgress": 10,
    },
    {
        "apiName": "SECRET",
        "name": {"ru": "Тайная комната", "en": "Secret room"},
        "description": {"ru": "Открыть дверь без ручки", "en": "Open the door without a handle"},
        "isHidden": True,
    },
)
"""The achievements of every made-up game."""
_SAVEGAME_POLICY = {
    "mode": "sync",
    "merge": "units",
    "roots": {"saves": {"where": [{"path": "<xdgData>/gameshelf-demo"}]}},
    "units": [{"name": name, "match": [f"saves/{name}.json"]} for name in ("hero", "world", "journal")],
}
"""The saves that the launcher makes: each file is a unit, so that two devices can be merged file by file."""
_BEGINNING = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def people() -> Sequence[Person]:
    """The players as the Account service knows them."""
    named = ((ANNA, "Anna"), (BORIS, "Boris"), (VERA, "Вера"))
    emails = ("anna@example.com", "boris@example.com", "vera@example.com")
    return [Person(user_id, name, email) for (user_id, name), email in zip(named, emails, strict=True)]


@cache
def catalog() -> Sequence[Mapping[str, Any]]:
    """The made-up games: ``slug, ru, en`` and, where they differ, ``free``, ``shareable``, ``type``; the ``price`` in
    kopecks, and the ``discount`` in per cent of the week's sale.
    """
    games: list[dict[str, Any]] = json.loads((files(__package__) / "demo_catalog.json").read_text(encoding="utf-8"))
    return games


def product_id(slug: str) -> UUID:
    """The id of a made-up game."""
    return uuid5(NAMESPACE_URL, f"https://gameshelf.example/games/{slug}")


def achievement_id(slug: str, api_name: str) -> UUID:
    """The id of an achievement of a made-up game."""
    return uuid5(product_id(slug), api_name)


def pictures() -> dict[str, str]:
    """Covers and icons as SVG, by the path that they are served under."""
    drawn = {}
    for game in catalog():
        slug = game["slug"]
        drawn[_cover_path(slug)] = cover(slug, game["ru"])
        for one in _ACHIEVEMENTS:
            for locked in (False, True):
                drawn[_icon_path(slug, one["apiName"], locked)] = icon(slug, one["apiName"], locked=locked)
    return drawn


def events(pictures_url: str, now: datetime) -> list[CloudEvent]:
    """The events of the demo: the catalog with its prices, then the players' purchases and gifts."""
    slugs = [str(game["slug"]) for game in catalog()]
    published = [_product(game, pictures_url) for game in catalog()]
    published += [_achievements(slug, pictures_url) for slug in slugs]
    for game in catalog():
        if "price" in game:
            published.append(_price(game))
        if "discount" in game:
            published.append(_sale(game, now))
    for index, slug in enumerate(slugs[: ANNAS_GAMES - 1]):
        published.append(_purchase(ANNA, slug, index))
    for index, slug in enumerate(slugs[10:17]):
        published.append(_purchase(BORIS, slug, index))
    gift = {"userId": str(ANNA), "productId": str(product_id(slugs[20])), "giftId": "demo-gift-1"}
    published.append(_event("com.platform.payment.gift.received.v1", gift, "gift-1", 40))
    for index, slug in enumerate(slugs[:5]):
        installed = {"userId": str(ANNA), "productId": str(product_id(slug)), "versionId": f"1.{index}.2"}
        published.append(
            _event("com.platform.download.game.installed.v1", installed, f"installed-{index + 1}", 41 + index)
        )
    return published


def shop(pictures_url: str) -> Sequence[Mapping[str, Any]]:
    """The games as a shop shows them; the price of a game that is free or unpriced is None."""
    return [
        {
            "product_id": str(product_id(game["slug"])),
            "title": {"ru": game["ru"], "en": game["en"]},
            "cover_image_url": pictures_url + _cover_path(game["slug"]),
            "is_free": game.get("free", False),
            "price_minor": game["price"] * (100 - game.get("discount", 0)) // 100 if "price" in game else None,
            "discount_percent": game.get("discount", 0),
        }
        for game in catalog()
    ]


def not_yet_owned() -> UUID:
    """A game for Anna to buy in the tour."""
    return product_id("northern-lights-express")


def _cover_path(slug: str) -> str:
    return f"/covers/{slug}.svg"


def _icon_path(slug: str, api_name: str, locked: bool) -> str:
    return f"/icons/{slug}/{api_name.lower()}{'-locked' if locked else ''}.svg"


def _product(game: Mapping[str, Any], pictures_url: str) -> CloudEvent:
    slug = game["slug"]
    data = {
        "productId": str(product_id(slug)),
        "newTitle": {"ru": game["ru"], "en": game["en"]},
        "newCoverImageUrl": pictures_url + _cover_path(slug),
        "productType": game.get("type", "game"),
        "isFreeToPlay": game.get("free", False),
        "familySharingAllowed": game.get("shareable", True),
    }
    return _event("com.platform.catalog.product.created.v1", data, f"product-{slug}-2", 2)


def _achievements(slug: str, pictures_url: str) -> CloudEvent:
    achievements = [
        {
            "id": str(achievement_id(slug, one["apiName"])),
            **one,
            "iconUrlLocked": pictures_url + _icon_path(slug, one["apiName"], True),
            "iconUrlUnlocked": pictures_url + _icon_path(slug, one["apiName"], False),
        }
        for one in _ACHIEVEMENTS
    ]
    data = {"productId": str(product_id(slug)), "achievements": achievements, "savegamePolicy": _SAVEGAME_POLICY}
    return _event("com.platform.catalog.product.updated.v1", data, f"achievements-{slug}-3", 3)


def _price(game: Mapping[str, Any]) -> CloudEvent:
    data = {"productId": str(product_id(game["slug"])), "priceMinor": game["price"], "currency": "RUB"}
    return _event("com.platform.catalog.price.updated.v1", data, f"price-{game['slug']}", 4)


def _sale(game: Mapping[str, Any], now: datetime) -> CloudEvent:
    """The week's sale, until the next one begins."""
    year, week, _ = now.isocalendar()
    monday = datetime.fromisocalendar(year, week, 1).replace(tzinfo=UTC)
    data = {
        "productId": str(product_id(game["slug"])),
        "priceMinor": game["price"] * (100 - game["discount"]) // 100,
        "oldPriceMinor": game["price"],
        "currency": "RUB",
        "discountPercent": game["discount"],
        "saleId": f"demo-{year}-{week}",
        "saleEndsAt": (monday + timedelta(days=7)).isoformat(),
    }
    name = f"sale-{game['slug']}-{year}-{week}"
    return _event("com.platform.catalog.price.updated.v1", data, name, (monday - _BEGINNING) / timedelta(days=1))


def _purchase(user_id: UUID, slug: str, index: int) -> CloudEvent:
    at = _BEGINNING + timedelta(days=20 * index)
    data = {
        "userId": str(user_id),
        "orderId": f"demo-order-{user_id}-{index}",
        "items": [{"productId": str(product_id(slug)), "productType": "game", "quantity": 1}],
        "purchaseTimestamp": at.isoformat(),
    }
    return _event("com.platform.payment.purchase.completed.v1", data, f"purchase-{user_id}-{index}", 20 * index)


def _event(kind: str, data: Mapping[str, object], name: str, day: float) -> CloudEvent:
    event_id = str(uuid5(NAMESPACE_URL, f"https://gameshelf.example/demo/{name}"))
    return CloudEvent(kind, data, id=event_id, source=SOURCE, time=_BEGINNING + timedelta(days=day))
