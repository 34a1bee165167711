"""What may be asked and reported, validated."""

from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from pydantic import BaseModel, ConfigDict, Field

MAX_PROGRESS = 2**31 - 1


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportProgress(_Command):
    """How far a player is now."""

    current_progress: int = Field(ge=0, le=MAX_PROGRESS)


class SummaryFilter(_Command):
    """Which page of the products."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a player is with one achievement; None unlocks it, whatever its target is."""

    achievement_id: UUID
    current: int | None
