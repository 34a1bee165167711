"""When each version of a game was first seen. The rows belong to no user; a job writes them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from gameshelf.savegames._set_models import SavegameGameVersion
from sqlalchemy import String, Uuid, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_GAME_VERSIONS = 1000
"""For so many versions of a product it is stored when they were first seen."""

_V = SavegameGameVersion
_seen = rows(
    "seen",
    product_id=("product_ids", Uuid),
    game_version_id=("game_version_ids", String),
    first_seen_at=("first_seen_ats", TIME),
)
_some = (
    select(col(_V.product_id))
    .where(col(_V.product_id) == _seen.c.product_id)
    .limit(literal_column(str(MAX_GAME_VERSIONS)))
    .correlate(_seen)
    .subquery("some")
)
_count = select(func.count()).select_from(_some).scalar_subquery()
_insert = insert(SavegameGameVersion).from_select(
    ["product_id", "game_version_id", "first_seen_at"],
    select(*_seen.c).where(_count < literal_column(str(MAX_GAME_VERSIONS))),
    include_defaults=False,
)
_earlier = _insert.excluded.first_seen_at
_ADD = Statement(
    _insert.on_conflict_do_update(
        index_elements=["product_id", "game_version_id"],
        set_={"first_seen_at": _earlier},
        where=_earlier < col(_V.first_seen_at),
    )
)


async def add_game_versions(connection: Connection, seen: Mapping[tuple[UUID, str], datetime]) -> None:
    """Stores when versions of products were seen, unless they were seen before."""
    # In the order of the keys, so that two instances never wait for each other's rows in a circle.
    ordered = sorted(seen)
    await _ADD.run(
        connection,
        product_ids=[product_id for product_id, _ in ordered],
        game_version_ids=[game_version_id for _, game_version_id in ordered],
        first_seen_ats=[seen[one] for one in ordered],
    )
