"""The definitions of achievements, as the Catalog publishes them. Lists add and change definitions, but remove none.

For each field the newest value by the Catalog's own time counts, and the statement that writes decides which one it is:
two instances that apply events of one product at the same time need no lock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from gameshelf.achievements._store.definitions import COLUMNS, DefinitionStore
from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.text import NORMALISED
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

MAX_DEFINITIONS = 10_000
"""The maximum number of achievements in one event."""

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


@dataclass(frozen=True, slots=True)
class DefinitionFact:
    """The values of one achievement that the Catalog published at one time (aware). None, or no value: not published.

    The constructor brings texts into NFC, and raises ValueError for a value that no achievement can have.
    """

    achievement_id: UUID
    product_id: UUID
    said_at: datetime
    """The time by the Catalog's clock."""
    values: dict[str, Any] = field(default_factory=dict)
    """Any of ``store.definitions.FIELDS``: ``api_name`` has 1 to 200 code points, a name 1 to 500, a description at
    most 5000, the URL of an icon at most 2000.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _Values.model_validate(self.values).model_dump(exclude_none=True))


def merged(facts: Iterable[DefinitionFact], now: datetime) -> dict[tuple[UUID, UUID], dict[str, Any]]:
    """Returns by achievement and product the newest value of each field, with its time. Of facts with equal times the
    later one in the sequence counts.
    """
    found: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for fact in facts:
        said_at = not_in_future(fact.said_at, now)
        columns = found.setdefault((fact.achievement_id, fact.product_id), dict.fromkeys(COLUMNS))
        for name, value in fact.values.items():
            if columns[f"{name}_at"] is None or said_at >= columns[f"{name}_at"]:
                columns[name], columns[f"{name}_at"] = value, said_at
    return found


class Definitions:
    """Definitions over one connection, inside a transaction that changes no user's data."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._store = DefinitionStore(connection)
        self._clock = clock

    async def apply(self, facts: Sequence[DefinitionFact]) -> None:
        """Applies facts in one statement. They may be late, repeated and in any order."""
        by_achievement: dict[UUID, tuple[UUID, dict[str, Any]]] = {}
        for (achievement_id, product_id), columns in merged(facts, self._clock()).items():
            by_achievement.setdefault(achievement_id, (product_id, columns))
        if by_achievement:
            await self._store.apply(by_achievement)
