"""Definitions: what the Catalog has said of achievements. Lists add and change, they never remove.

Each field is the last writer's, by the Catalog's own time, and the statement that writes decides it: two instances that
apply events of one product side by side need no lock between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from gameshelf.achievements.models import AchievementMetadata
from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from gameshelf.kernel.text import NORMALISED
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from sqlalchemy import Boolean, Integer, Text, Uuid, case, func, null, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_DEFINITIONS = 10_000
"""How many achievements one event may bring."""

_Name = Annotated[str, Field(min_length=1, max_length=500), NORMALISED]
_Description = Annotated[str, Field(max_length=5000), NORMALISED]
_Url = Annotated[str, Field(max_length=2000), NORMALISED]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid")

    api_name: Annotated[str, Field(min_length=1, max_length=200), NORMALISED] | None = None
    name_ru: _Name | None = None
    name_en: _Name | None = None
    description_ru: _Description | None = None
    description_en: _Description | None = None
    icon_url_locked: _Url | None = None
    icon_url_unlocked: _Url | None = None
    is_hidden: StrictBool | None = None
    target_progress: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None
    server_authoritative: StrictBool | None = None


FIELDS = tuple(_Values.model_fields)
"""The fields that the Catalog may set, each with a time of its own in the column ``<field>_at``."""

_TYPES: dict[str, Any] = {"is_hidden": Boolean, "server_authoritative": Boolean, "target_progress": Integer}
_COLUMNS = (*FIELDS, *(f"{name}_at" for name in FIELDS))
_said = rows(
    "said",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    **{name: (name, TIME if name.endswith("_at") else _TYPES.get(name, Text)) for name in _COLUMNS},
)
_insert = insert(AchievementMetadata).from_select(
    ["id", "product_id", *_COLUMNS], select(*_said.c), include_defaults=False
)


def _newest(name: str) -> dict[str, Any]:
    said, said_at = _insert.excluded[name], _insert.excluded[f"{name}_at"]
    kept, kept_at = getattr(AchievementMetadata, name), getattr(AchievementMetadata, f"{name}_at")
    is_newer = or_(kept_at.is_(None), said_at >= kept_at)
    return {name: case((is_newer, said), else_=kept), f"{name}_at": func.greatest(kept_at, said_at)}


_changes = {column: value for name in FIELDS for column, value in _newest(name).items()}
# A target that is lowered and raised again before anybody looks has to be reviewed all the same.
_is_another_target = _changes["target_progress"].is_distinct_from(col(AchievementMetadata.target_progress))
_changes["reviewed_target"] = case((_is_another_target, null()), else_=col(AchievementMetadata.reviewed_target))
_changes["target_revision"] = col(AchievementMetadata.target_revision) + case((_is_another_target, 1), else_=0)
_APPLY = Statement(
    _insert.on_conflict_do_update(
        index_elements=["id"],
        set_=_changes,
        # An achievement stays with the product that it was first named with.
        where=col(AchievementMetadata.product_id) == _insert.excluded.product_id,
    )
)


@dataclass(frozen=True, slots=True)
class DefinitionFact:
    """What the Catalog said of one achievement at one time (aware); a field that is absent or None was not mentioned.

    Making one brings its texts into NFC, and raises ValueError for what no achievement can have.
    """

    achievement_id: UUID
    product_id: UUID
    said_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    """Any of ``FIELDS``: ``api_name`` (1 to 200 code points), names (1 to 500), descriptions (5000), icons (2000)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _Values.model_validate(self.values).model_dump(exclude_none=True))


def merged(facts: Iterable[DefinitionFact], now: datetime) -> dict[tuple[UUID, UUID], dict[str, Any]]:
    """By achievement and product the newest value of each field, with its time; of equal times the later fact's."""
    found: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for fact in facts:
        said_at = not_in_future(fact.said_at, now)
        columns = found.setdefault((fact.achievement_id, fact.product_id), dict.fromkeys(_COLUMNS))
        for name, value in fact.values.items():
            if columns[f"{name}_at"] is None or said_at >= columns[f"{name}_at"]:
                columns[name], columns[f"{name}_at"] = value, said_at
    return found


class Definitions:
    """Definitions over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    async def apply(self, facts: Sequence[DefinitionFact]) -> None:
        """Takes over what the Catalog said, in any order, twice or late, in one statement."""
        by_achievement: dict[UUID, tuple[UUID, dict[str, Any]]] = {}
        for (achievement_id, product_id), columns in merged(facts, self._clock()).items():
            by_achievement.setdefault(achievement_id, (product_id, columns))
        # In the order of the keys, so that two instances never wait for each other crosswise.
        ordered = sorted(by_achievement.items(), key=lambda entry: entry[0])
        if ordered:
            await _APPLY.run(
                self._connection,
                ids=[achievement_id for achievement_id, _ in ordered],
                product_ids=[product_id for _, (product_id, _) in ordered],
                **{name: [columns[name] for _, (_, columns) in ordered] for name in _COLUMNS},
            )
