"""Times and lengths of time, as people type and read them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

_FORM = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.IGNORECASE)
_MOST = 100 * 365 * 24 * 3600


class Span(click.ParamType[int]):
    """Seconds: ``2690h``, ``1h30m``, ``90s``, or a plain number of them."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).replace(",", "").replace(" ", "")
        found = _FORM.fullmatch(text)
        if not text or found is None:
            self.fail(f"{value!r} is no length of time: try 2690h, 1h30m, or a number of seconds", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if not 0 < total <= _MOST:
            self.fail(f"{value!r} is not between a second and a hundred years", param, ctx)
        return total


class DayParameter(click.ParamType[date]):
    """A day of UTC: ``2026-05-20``."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day: try 2026-05-20", param, ctx)


class MomentParameter(click.ParamType[datetime]):
    """``2026-11-25``, ``2026-11-25T10:00``, with or without an offset; without one it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: try 2026-11-25 or 2026-11-25T10:00Z", param, ctx)


def day_in_utc(day: date) -> tuple[datetime, datetime]:
    """Returns the begin and the end of a day in UTC."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def span(seconds: int, *, signed: bool = False) -> str:
    """A length of time for people, to the second: ``2,700h 00m 00s``."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else "+" if signed else ""
    return f"{sign}{hours:,}h {minutes:02}m {rest:02}s"


def hours(seconds: int) -> str:
    """A length of time for people, to the minute; to the second if it has no minute."""
    return f"{seconds // 3600:,}h {seconds // 60 % 60:02}m" if seconds >= 60 else f"{seconds}s"


def minute(moment: datetime | None) -> str:
    """A time of UTC, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""


def day(moment: datetime | None) -> str:
    """The day of UTC that a time lies in."""
    return minute(moment)[:10]
