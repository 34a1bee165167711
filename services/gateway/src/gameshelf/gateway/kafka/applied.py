"""What each consumed event does: a few lines per event. The table of them is in ``consumed.py``.

An event of a user changes that user's data in the user's transaction. Facts of products are everybody's and have a
transaction of their own.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from gameshelf.achievements import DefinitionFact
from gameshelf.gateway.kafka.incoming import (
    AchievementDefinition,
    GiftReceived,
    InstallationChange,
    KeyActivation,
    PriceChange,
    ProductChange,
    Purchase,
    Review,
)
from gameshelf.gateway.transaction import Transaction
from gameshelf.library import GrantKind, InstallationStatus, LibraryService, NewGrant, ProductFact
from gameshelf.wishlist import Price, discount

Handle = Callable[[Transaction, Any, datetime], Awaitable[None]]
"""Applies an event's data in the transaction of its user; the time is the event's own, or that of its receipt."""


async def purchased(transaction: Transaction, data: Purchase, at: datetime) -> None:
    since = data.purchase_timestamp or at
    grants = [
        NewGrant(item.product_id, GrantKind.ORDER, data.order_id, since, item.product_type) for item in data.items
    ]
    await transaction.of(LibraryService).grant(data.user_id, grants)


async def refunded(transaction: Transaction, data: Purchase, at: datetime) -> None:
    products = [item.product_id for item in data.items]
    await transaction.of(LibraryService).end_grants(data.user_id, GrantKind.ORDER, data.order_id, products)


async def key_activated(transaction: Transaction, data: KeyActivation, at: datetime) -> None:
    grant = NewGrant(data.product_id, GrantKind.KEY, data.key_id, data.timestamp or at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def gift_received(transaction: Transaction, data: GiftReceived, at: datetime) -> None:
    grant = NewGrant(data.product_id, GrantKind.GIFT, data.gift_id, data.timestamp or at)
    await transaction.of(LibraryService).grant(data.user_id, [grant])


async def installed(transaction: Transaction, data: InstallationChange, at: datetime) -> None:
    await _installation(transaction, data, InstallationStatus.INSTALLED, at)


async def uninstalled(transaction: Transaction, data: InstallationChange, at: datetime) -> None:
    await _installation(transaction, data, InstallationStatus.NOT_INSTALLED, at)


async def installation_changed(transaction: Transaction, data: InstallationChange, at: datetime) -> None:
    if data.status is not None:
        await _installation(transaction, data, data.status, at)


async def _installation(
    transaction: Transaction, data: InstallationChange, status: InstallationStatus, at: datetime
) -> None:
    service = transaction.of(LibraryService)
    await service.set_installation(data.user_id, data.product_id, status, data.version_id, data.timestamp or at)


async def reviewed(transaction: Transaction, data: Review, at: datetime) -> None:
    if data.rating is not None:
        await transaction.of(LibraryService).set_rating(data.user_id, data.product_id, data.rating, at)


def product_fact(data: ProductChange, at: datetime) -> ProductFact:
    """What the Catalog said; a field that is absent or null was not said."""
    said: dict[str, Any] = {
        "product_type": data.product_type,
        "title_ru": data.new_title.ru if data.new_title else None,
        "title_en": data.new_title.en if data.new_title else None,
        "cover_image_url": data.new_cover_image_url,
        "is_free_to_play": data.is_free_to_play,
        "family_sharing_allowed": data.family_sharing_allowed,
    }
    at = data.timestamp or at
    return ProductFact(data.product_id, at, {name: value for name, value in said.items() if value is not None})


def definition_facts(data: ProductChange, at: datetime) -> list[DefinitionFact]:
    """What the Catalog said of a product's achievements."""
    at = data.timestamp or at
    return [DefinitionFact(one.id, data.product_id, at, _said(one)) for one in data.achievements or ()]


def _said(of: AchievementDefinition) -> dict[str, Any]:
    said: dict[str, Any] = {
        "api_name": of.api_name,
        "name_ru": of.name.ru if of.name else None,
        "name_en": of.name.en if of.name else None,
        "description_ru": of.description.ru if of.description else None,
        "description_en": of.description.en if of.description else None,
        "icon_url_locked": of.icon_url_locked,
        "icon_url_unlocked": of.icon_url_unlocked,
        "is_hidden": of.is_hidden,
        "target_progress": of.target_progress,
        "server_authoritative": of.server_authoritative,
    }
    return {name: value for name, value in said.items() if value is not None}


def price_fact(data: PriceChange, at: datetime) -> Price:
    """What the Catalog said that a product costs."""
    percent = discount(data.discount_percent, data.price_minor, data.old_price_minor)
    at = data.timestamp or at
    return Price(data.product_id, data.price_minor, data.currency, percent, data.sale_id, data.sale_ends_at, at)
