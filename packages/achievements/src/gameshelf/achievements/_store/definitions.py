"""The statement that writes definitions of achievements. It decides which value of a field is the newest."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gameshelf.achievements._models import AchievementMetadata
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from sqlalchemy import Boolean, Integer, Text, Uuid, case, func, literal_column, null, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

FIELDS = tuple(name.removesuffix("_at") for name in AchievementMetadata.model_fields if name.endswith("_at"))
"""The fields that the Catalog may set, each with the time of its value in the column ``<field>_at``."""
COLUMNS = (*FIELDS, *(f"{name}_at" for name in FIELDS))

_TYPES: dict[str, Any] = {"is_hidden": Boolean, "server_authoritative": Boolean, "target_progress": Integer}
_given = rows(
    "given",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    **{name: (name, TIME if name.endswith("_at") else _TYPES.get(name, Text)) for name in COLUMNS},
)
_insert = insert(AchievementMetadata).from_select(
    ["id", "product_id", *COLUMNS], select(*_given.c), include_defaults=False
)


def _newest(name: str) -> dict[str, Any]:
    given, given_at = _insert.excluded[name], _insert.excluded[f"{name}_at"]
    stored, stored_at = getattr(AchievementMetadata, name), getattr(AchievementMetadata, f"{name}_at")
    is_newer = or_(stored_at.is_(None), given_at >= stored_at)
    return {name: case((is_newer, given), else_=stored), f"{name}_at": func.greatest(stored_at, given_at)}


_changes = {column: value for name in FIELDS for column, value in _newest(name).items()}
# A target that is lowered, and raised again before a review has seen it, has to be reviewed too.
_is_another_target = _changes["target_progress"].is_distinct_from(col(AchievementMetadata.target_progress))
_changes["reviewed_target"] = case((_is_another_target, null()), else_=col(AchievementMetadata.reviewed_target))
_changes["target_revision"] = col(AchievementMetadata.target_revision) + case(
    (_is_another_target, literal_column("1")), else_=literal_column("0")
)
_APPLY = Statement(
    _insert.on_conflict_do_update(
        index_elements=["id"],
        set_=_changes,
        # An achievement stays with the product of its first definition.
        where=col(AchievementMetadata.product_id) == _insert.excluded.product_id,
    )
)


class DefinitionStore:
    """Definitions over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def apply(self, definitions: Mapping[UUID, tuple[UUID, Mapping[str, Any]]]) -> None:
        """Writes definitions, of each field the newest value: by achievement the product, and the ``COLUMNS``."""
        # In the order of the keys, so that two instances never wait for each other's rows in a circle.
        ordered = sorted(definitions.items(), key=lambda entry: entry[0])
        await _APPLY.run(
            self._connection,
            ids=[achievement_id for achievement_id, _ in ordered],
            product_ids=[product_id for _, (product_id, _) in ordered],
            **{name: [columns[name] for _, (_, columns) in ordered] for name in COLUMNS},
        )
