"""The products: games and what belongs to them, their prices, achievements and policies of saves."""

from dataclasses import dataclass, field
from random import Random

from gameshelf.kernel.folding import fold_title
from gameshelf.savegames import SavePolicy

from _fill.binary import (
    DAY,
    FALSE,
    NULL,
    TRUE,
    Target,
    bigint,
    integer,
    jsonb,
    smallint,
    text,
    time,
    uuid,
)
from _fill.draws import between, named_id

MOST_PRODUCTS, LEAST_PRODUCTS = 20_000, 300
USERS_PER_PRODUCT = 25
"""Where there are few users there are fewer products, so that products have several owners at any scale."""
POPULARITY = 3
"""The n-th product of N is drawn with a chance that falls as n ** -(2/3): the first has a third of all users."""
FAMOUS = 0.05
"""Of so many products the first ones have their policy of saves in the Catalog."""

PRODUCTS = Target(
    "library.products",
    "product_id product_type title_ru title_en sort_key_ru sort_key_en cover_image_url is_free_to_play "
    "family_sharing_allowed product_type_at title_ru_at title_en_at cover_image_url_at is_free_to_play_at "
    "family_sharing_allowed_at",
)
PRICES = Target(
    "wishlist.currency_prices",
    "product_id currency price_minor discount_percent sale_id sale_ends_at said_at",
)
DEFINITIONS = Target(
    "achievements.achievement_metadata",
    "id product_id api_name name_ru name_en description_ru description_en is_hidden target_progress reviewed_target "
    "server_authoritative api_name_at name_ru_at name_en_at description_ru_at description_en_at is_hidden_at "
    "target_progress_at server_authoritative_at",
)
POLICIES = Target("savegames.savegame_policies", "product_id revision source policy said_at changed_at")
GAME_VERSIONS = Target("savegames.savegame_game_versions", "product_id game_version_id first_seen_at")
CATALOG = (PRODUCTS, PRICES, DEFINITIONS, POLICIES, GAME_VERSIONS)

_FIRST = ("Железный", "Последний", "Тихий", "Северный", "Янтарный", "Звёздный", "Забытый", "Быстрый")
_SECOND = ("самовар", "рейнджер", "остров", "космодром", "кузнец", "детектив", "маяк", "легион")
_FIRST_EN = ("Iron", "Last", "Silent", "Northern", "Amber", "Stellar", "Forgotten", "Swift")
_SECOND_EN = ("Samovar", "Ranger", "Island", "Cosmodrome", "Smith", "Detective", "Lighthouse", "Legion")
_POLICY = SavePolicy.model_validate(
    {
        "roots": {"saves": {"where": [{"path": "<winLocalAppData>/Game"}]}},
        "units": [{"name": "{slot}", "match": ["saves/{slot}.sav"]}],
    }
).model_dump_json(exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Achievement:
    """A definition. ``target`` is None where it is unlocked at once."""

    id: bytes
    target: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product, with the fields that rows of users repeat."""

    number: int
    id: bytes
    kind: str
    is_free: bool
    may_be_shared: bool
    achievements: tuple[Achievement, ...]
    field: bytes = field(init=False)
    """The id as a field."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", uuid(self.id))


def number_of_products(users: int) -> int:
    return min(max(users // USERS_PER_PRODUCT, LEAST_PRODUCTS), MOST_PRODUCTS)


def catalog(seed: int, users: int) -> tuple[Product, ...]:
    """The products for so many users, the most popular ones first."""
    return tuple(_product(seed, number) for number in range(number_of_products(users)))


def popular(draw: Random, products: tuple[Product, ...]) -> Product:
    """A product at random, and a popular one rather than another."""
    return products[int(len(products) * draw.random() ** POPULARITY)]


def _product(seed: int, number: int) -> Product:
    draw = Random(f"{seed} product {number}")
    kind = "dlc" if number % 10 == 9 else "game"
    achievements = tuple(
        Achievement(named_id(f"{seed} achievement {number} {place}"), between(draw, 2, 100) if place % 4 == 3 else None)
        for place in range(between(draw, 4, 40) if kind == "game" else 0)
    )
    return Product(number, named_id(f"{seed} product {number}"), kind, number % 25 == 4, number % 20 != 5, achievements)


def rows_of_catalog(products: tuple[Product, ...], now: int) -> dict[Target, list[bytes]]:
    """The rows about products alone."""
    rows: dict[Target, list[bytes]] = {target: [] for target in CATALOG}
    said = bigint(now - 400 * DAY)
    for product in products:
        rows[PRODUCTS].append(_published(product, said))
        rows[PRICES].extend(_prices(product, now))
        rows[DEFINITIONS].extend(
            _definition(product, place, one, said) for place, one in enumerate(product.achievements)
        )
        if product.kind == "game" and product.number < len(products) * FAMOUS:
            rows[POLICIES].append(POLICIES.row(product.field, bigint(1), text("catalog"), jsonb(_POLICY), said, said))
        if product.kind == "game":
            rows[GAME_VERSIONS].append(GAME_VERSIONS.row(product.field, text("1.0"), said))
            rows[GAME_VERSIONS].append(GAME_VERSIONS.row(product.field, text("1.1"), bigint(now - 90 * DAY)))
    return rows


def _published(product: Product, said: bytes) -> bytes:
    first, second = product.number % len(_FIRST), product.number // len(_FIRST) % len(_SECOND)
    russian = f"{_FIRST[first]} {_SECOND[second]} {product.number}"
    english = f"The {_FIRST_EN[first]} {_SECOND_EN[second]} {product.number}"
    return PRODUCTS.row(
        product.field,
        text(product.kind),
        text(russian),
        text(english),
        text(fold_title(russian)),
        text(fold_title(english)),
        text(f"https://cdn.gameshelf.example/covers/{product.id.hex()}.jpg"),
        TRUE if product.is_free else FALSE,
        TRUE if product.may_be_shared else FALSE,
        *(said,) * 6,
    )


def _prices(product: Product, now: int) -> list[bytes]:
    discount, sale = (20 + product.number % 60, f"sale-{product.number % 7}") if product.number % 10 == 3 else (0, None)
    return [
        PRICES.row(
            product.field,
            text(currency),
            bigint(0 if product.is_free else minor * (100 - discount) // 100),
            smallint(discount),
            NULL if sale is None else text(sale),
            time(None if sale is None else now + 7 * DAY),
            bigint(now - 2 * DAY),
        )
        for currency, minor in (
            ("RUB", 19_900 + product.number % 20 * 10_000),
            ("USD", 499 + product.number % 20 * 200),
        )
    ]


def _definition(product: Product, place: int, one: Achievement, said: bytes) -> bytes:
    target = NULL if one.target is None else integer(one.target)
    return DEFINITIONS.row(
        uuid(one.id),
        product.field,
        text(f"ACHIEVEMENT_{place}"),
        text(f"Достижение {place}"),
        text(f"Achievement {place}"),
        text(f"Как получить достижение номер {place}"),
        text(f"How to get achievement number {place}"),
        TRUE if place % 9 == 8 else FALSE,
        target,
        target,
        FALSE,
        *(said,) * 6,
        NULL if one.target is None else said,
        said,
    )
