"""Validated input of a client: sessions, imports, filters."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from functools import cache
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from gameshelf.kernel.clock import EARLIEST, LATEST, Moment
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import Name
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, WrapValidator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

MAX_IMPORT = 100
"""The most sessions of one import."""
MAX_PRODUCTS = 100
MAX_DAYS = 366
DEFAULT_DAYS = 14

DeviceId = Annotated[Name, Field(max_length=100)]
Platform = Annotated[Name, Field(max_length=50)]
MAX_CLIENT_ID = 100
ClientSessionId = Annotated[Name, Field(max_length=MAX_CLIENT_ID)]


# An unescaped plus of a query arrives as a blank.
_OFFSET = re.compile(r"([+ -])(0\d|1[0-4]):([0-5]\d)")
_OF_THE_SERVER = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside the zones that name no zone, or the server's."""


@cache
def _zones() -> frozenset[str]:
    # Once per process, since listing them walks through the files of all zones.
    return frozenset(available_timezones()) - _OF_THE_SERVER


def _known_zone(name: object) -> object:
    if isinstance(name, str):
        if name in _zones():
            return ZoneInfo(name)
        if offset := _OFFSET.fullmatch(name):
            ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            return timezone(-ahead if offset[1] == "-" else ahead)
    raise PydanticCustomError("time_zone", "an IANA time zone or an offset is expected")


TimeZone = Annotated[
    tzinfo,
    BeforeValidator(_known_zone),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 64,
            "description": "An IANA time zone, or an offset from UTC. Of a query a plus is written %2B.",
            "examples": ["Europe/Moscow", "+03:00"],
        }
    ),
]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class StartSession(_Command):
    """A session to start. It starts at the time of the server."""

    product_id: UUID
    """Product that is played."""
    platform: Platform | None = None
    """Platform that it is played on."""
    device_id: DeviceId | None = None
    """Device that it is played on."""


class OfflineSession(_Command):
    """A session that was played offline."""

    client_session_id: ClientSessionId
    """Id that the client gives the session. The same one from the same device is imported once."""
    product_id: UUID
    """Product that was played."""
    start_time: Moment
    """When the session started."""
    end_time: Moment
    """When the session ended."""
    device_id: DeviceId | None = None
    """Device that it was played on."""
    platform: Platform | None = None
    """Platform that it was played on."""


@dataclass(frozen=True, slots=True)
class UnreadableSession:
    """A session of an import that cannot be read. ``client_session_id`` is empty where that is unreadable, too."""

    client_session_id: str


def _read(element: Any, _: Any) -> OfflineSession | UnreadableSession:
    if isinstance(element, OfflineSession | UnreadableSession):
        return element
    try:
        # From JSON, whose strict reading takes a string for a UUID and for a time but not for a number.
        return OfflineSession.model_validate_json(json.dumps(element, allow_nan=False), strict=True)
    except (ValidationError, ValueError):
        named = element.get("client_session_id") if isinstance(element, dict) else None
        return UnreadableSession(named if isinstance(named, str) and len(named) <= MAX_CLIENT_ID else "")


class ImportSessions(_Command):
    """Sessions that were played offline."""

    sessions: Annotated[
        tuple[Annotated[OfflineSession | SkipJsonSchema[UnreadableSession], WrapValidator(_read)], ...],
        Field(min_length=1, max_length=MAX_IMPORT),
    ]
    """The sessions."""


class Period(StrEnum):
    """Time that a summary is about: `all_time` or `last_2_weeks` (the last 14 × 24 hours)."""

    ALL_TIME = "all_time"
    LAST_2_WEEKS = "last_2_weeks"


class Breakdown(StrEnum):
    """Further breakdown of a summary by product: `platform`."""

    PLATFORM = "platform"


class PlaytimeSummaryFilter(_Command):
    """Totals of these products, or of all; with ``by`` for each of them and each platform."""

    product_ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_PRODUCTS)
    """Products, comma separated; left out, all that were played."""
    period: Period = Period.ALL_TIME
    """With `last_2_weeks` only products that were played in that time."""
    by: Breakdown | None = None
    """With `platform` an element for each product and platform."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


class SessionStatus(StrEnum):
    """Whether a session runs: `active` or `completed`."""

    ACTIVE = "active"
    COMPLETED = "completed"


class HistoryFilter(_Command):
    """Sessions, newest first; of one product, or of all; running ones, ended ones, or both."""

    product_id: UUID | None = None
    """Only sessions of this product."""
    status: SessionStatus | None = None
    """Only running sessions, or only ended ones."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


Day = Annotated[date, Field(ge=EARLIEST.date(), lt=LATEST.date())]


class DailyFilter(_Command):
    """Seconds per day and product, of the days from ``since`` through ``until`` in a time zone.

    Left out, ``until`` is today and ``since`` 13 days earlier. At most 366 days.
    """

    product_ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_PRODUCTS)
    """Products, comma separated; left out, all that were played."""
    since: Day | None = None
    """First day; left out, 13 days before the last day."""
    until: Day | None = None
    """Last day; left out, today."""
    tz: TimeZone = ZoneInfo("UTC")

    def days(self, now: datetime) -> tuple[date, date]:
        """The first and the last day. Raises InvalidInput for too many days, or if the first follows the last."""
        until = self.until or now.astimezone(self.tz).date()
        since = self.since or until - timedelta(days=DEFAULT_DAYS - 1)
        if since > until:
            raise InvalidInput(Problem("since_after_until", parameter="since"))
        if (until - since).days >= MAX_DAYS:
            raise InvalidInput(Problem("too_many_days", parameter="since", params={"max": MAX_DAYS}))
        return since, until
