"""Libraries for the benchmark of their first page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from gameshelf.kernel.folding import fold_title
from gameshelf.library import Installation, InstallationStatus
from pydantic_core import to_json

GAMES, HIDDEN = 500, 40
NOT_INSTALLED = ("not_installed", None, None, None, None)


@dataclass(frozen=True, slots=True)
class Library:
    """A user with 500 games and 40 hidden ones, all known on these devices; every other one is in a category."""

    devices: Sequence[str] = ()
    user: UUID = field(default_factory=uuid4)
    category: UUID = field(default_factory=uuid4)
    products: list[UUID] = field(default_factory=list)


async def seed(dsn: str, libraries: Iterable[Library]) -> None:
    """Inserts twice as many products, a fifth of them DLC, and the libraries. A third of the games is unplayed."""
    connection = await asyncpg.connect(dsn)
    products = [(uuid4(), f"Игра номер {number}") for number in range(2 * (GAMES + HIDDEN))]

    async def copy(table: str, columns: str, records: Iterable[tuple[Any, ...]]) -> None:
        await connection.copy_records_to_table(table, schema_name="library", columns=columns.split(), records=records)

    await copy(
        "products",
        "product_id product_type title_ru sort_key_ru sort_key_en cover_image_url",
        (
            (
                product,
                "dlc" if number % 5 == 0 else "game",
                title,
                fold_title(title),
                fold_title(title),
                f"https://cdn.gameshelf.example/covers/{product}.jpg",
            )
            for number, (product, title) in enumerate(products)
        ),
    )
    now = datetime.now(UTC)
    for index, library in enumerate(libraries):
        library.products.extend(products[(index + 2 * number) % len(products)][0] for number in range(GAMES + HIDDEN))
        items = [(uuid4(), product) for product in library.products]
        await copy(
            "user_library_items",
            "user_id id product_id added_at acquisition_type last_played_at is_hidden installation_status "
            "installed_version_id installation_changed_at installations installations_at",
            (
                (library.user, item, product, now, "purchase", played, number >= GAMES, *installed)
                for number, (item, product) in enumerate(items)
                for played in [now - timedelta(hours=number) if number % 3 else None]
                for installed in [installations(number, now, library.devices)]
            ),
        )
        await copy("user_game_categories", "user_id id name", [(library.user, library.category, "Любимые")])
        await copy(
            "user_library_item_to_categories",
            "user_id library_item_id category_id",
            ((library.user, item, library.category) for item, _ in items[::2]),
        )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def installations(number: int, now: datetime, devices: Sequence[str]) -> tuple[Any, ...]:
    """The columns of a game whose installation status these devices have reported."""
    if not devices:
        return NOT_INSTALLED
    installed, absent = InstallationStatus.INSTALLED, InstallationStatus.NOT_INSTALLED
    known = [
        Installation(device, absent if (number + place) % 4 else installed, "1.0", now - timedelta(minutes=place))
        for place, device in enumerate(devices)
    ]
    summary = installed if any(one.installation_status is installed for one in known) else absent
    known.sort(key=lambda one: one.device_id or "")
    return summary, "1.0", now, to_json(known).decode(), now
