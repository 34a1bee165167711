"""``libctl playtime``: how long somebody has played, and where that can't be."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.charts import Bar, below, share_of, sparklines
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, lines, table
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import DayParameter, Span, day, day_in_utc, hours, minute, span
from gameshelf.protos.library.v1 import admin_playtime_pb2 as messages

_BAR = 14
_KINDS = ("long_day", "fast_import")


@noun("playtime")
def group() -> None:
    """Show and correct a user's playtime; list anomalies."""


@group.command()
@click.argument("user", type=USER_ID)
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@click.option("--day", "on_day", type=DayParameter(), help="Only sessions that overlap this UTC day.")
@click.option("--imports", is_flag=True, help="Also show imports of offline sessions; needs --product.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=20,
    show_default=True,
    help="Number of products, sessions and corrections per page.",
)
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, help="Page of products.")
@click.option("--cursor", default="", help="Continue the listing of sessions at this cursor.")
@answers(messages.ShowPlaytimeResponse, "sessions")
@click.pass_obj
def show(
    out: Output,
    user: UUID,
    product: UUID | None,
    on_day: date | None,
    imports: bool,
    limit: int,
    page: int,
    cursor: str,
) -> None:
    """Show totals, sessions and corrections."""
    if imports and not product:
        raise Usage("--imports needs a product", "--product PRODUCT")
    since, until = day_in_utc(on_day) if on_day else (None, None)
    request = messages.ShowPlaytimeRequest(
        user_id=str(user),
        product_id=str(product or ""),
        page=page,
        limit=limit,
        since=since,
        until=until,
        cursor=cursor,
        with_imports=imports,
    )
    found = plain(connect().call("ShowPlaytime", request))
    parts = [_sessions(out, found["sessions"], with_product=product is None)]
    if imports:
        parts.insert(0, _imports(out, found["imports"]))
    if not cursor:
        parts.insert(0, _products(out, found["products"]))
        parts[:0] = recent_play(found)
    if found["corrections"]:
        parts.append(_corrections(found["corrections"]))
    out.result(found, *parts)
    if found["total_products"] > page * limit:
        out.say(f"{found['total_products']} products in total. Next: --page {page + 1}")
    if found["next_cursor"]:
        out.say(f"More sessions: --cursor {found['next_cursor']}")
    if not (found["products"] or found["sessions"]):
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@click.option("--add", type=Span(), help="Time to add, such as 1h30m.")
@click.option("--take", type=Span(), help="Time to subtract, such as 2690h; the total cannot become negative.")
@player_change("user")
def correct(out: Output, user: UUID, product: UUID, add: int | None, take: int | None) -> ChangeCall:
    """Add to or subtract from the playtime of a product. Sessions are unchanged."""
    if (add is None) == (take is None):
        raise Usage("one of --add and --take is needed", "--take 2690h")
    seconds = add or -(take or 0)
    request = messages.CorrectPlaytimeRequest(user_id=str(user), product_id=str(product), seconds=seconds)
    return ChangeCall("CorrectPlaytime", request, lambda client: _say_total(out, client, user, product, seconds))


@group.command()
@click.argument("user", type=USER_ID)
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@player_change("user")
def recompute(out: Output, user: UUID, product: UUID | None) -> ChangeCall:
    """Recompute totals from sessions and corrections, and fix those that differ."""
    request = messages.RecomputePlaytimeRequest(user_id=str(user), product_id=str(product or ""))
    return ChangeCall("RecomputePlaytime", request)


@group.command()
@click.option("--user", type=USER_ID, help="Only this user.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only this kind.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Continue the listing at this cursor.")
@answers(messages.ListPlaytimeAnomaliesResponse, "anomalies")
@click.pass_obj
def anomalies(out: Output, user: UUID | None, kind: str | None, limit: int, cursor: str) -> None:
    """List implausible playtime for review.

    It is stored and counted. long_day: 24 hours or more on one UTC day over all games and devices.
    fast_import: an import contains more playtime than has passed since the player's previous import.
    """
    request = messages.ListPlaytimeAnomaliesRequest(
        user_id=str(user or ""), kind=kind or "", limit=limit, cursor=cursor
    )
    found = plain(connect().call("ListPlaytimeAnomalies", request))
    columns = [Column("what", whole=True), Column("which"), Column("played", "right", whole=True)]
    rows = [[one["kind"], one["subject"], span(one["seconds"])] for one in found["anomalies"]]
    if user is None:
        columns.insert(0, Column("user", whole=True))
        rows = [[one["user_id"], *row] for one, row in zip(found["anomalies"], rows, strict=True)]
    if user or out.is_wide:
        columns.insert(0, Column("found (UTC)", whole=True))
        rows = [[minute(one["found_at"]), *row] for one, row in zip(found["anomalies"], rows, strict=True)]
    out.result(found, table(columns, rows, empty="Nothing that can't be."))
    if found["next_cursor"]:
        out.say(f"More: --cursor {found['next_cursor']}")
    if user and not found["anomalies"]:
        doubt(out, user)


def _say_total(out: Output, client: Client, user: UUID, product: UUID, seconds: int) -> None:
    """Says of which game how much there is and would be, and whether somebody has just corrected it like this: a dry
    run has no reason by which the service could refuse it. Raises Usage for taking more than there is.
    """
    asked = messages.ShowPlaytimeRequest(user_id=str(user), product_id=str(product), limit=1)
    found = client.call("ShowPlaytime", asked)
    of = next(iter(found.products), messages.ProductPlaytime(product_id=str(product)))
    name, total = of.title or of.product_id, of.total_seconds + seconds
    if not of.total_seconds and seconds < 0:
        raise Usage(f"{name} was played for {span(0)}, so nothing can be taken", f"libctl playtime show {user}")
    if total < 0:
        raise Usage(f"{name} was played for {span(of.total_seconds)}", f"--take {of.total_seconds}s, or less")
    out.say(f"{name}: {span(of.total_seconds)} in total; with {span(seconds, signed=True)} it is {span(total)}.")
    for newest in found.corrections:
        if newest.seconds == seconds:
            when = minute(plain(newest)["created_at"])
            out.say(f"The newest correction is the same: {when} UTC, “{newest.reason}”. Is it one more?", "yellow")


def recent_play(found: dict[str, Any]) -> list[Any]:
    """Draws the play of the last 14 days and weeks; nothing where nothing was ever played."""
    seconds = days_of(found)
    if not found["products"] or not seconds:
        return []
    first = date.fromisoformat(found["first_day"])
    days = [first + timedelta(number) for number in range(len(seconds))]
    weeks = [sum(seconds[start : start + 7]) for start in range(0, len(seconds), 7)]
    rows = [
        ("last 14 days", seconds[-14:], _most(seconds[-14:], days[-14:], "")),
        (f"last {len(weeks)} weeks", weeks, _most(weeks, days[::7], "week of ")),
    ]
    return [sparklines(rows)]


def days_of(found: dict[str, Any]) -> list[int]:
    """Returns the seconds of each of the last days, also of those without play. An earlier service sends none."""
    if not found["last_day"]:
        return []
    first, last = (date.fromisoformat(found[name]) for name in ("first_day", "last_day"))
    played = {date.fromisoformat(one["day"]): one["seconds"] for one in found["days"]}
    return [played.get(first + timedelta(number), 0) for number in range((last - first).days + 1)]


def _most(seconds: Sequence[int], starts: Sequence[date], when: str) -> str:
    """Says in words what a sparkline shows: the sum, and the most with its time."""
    most = max(seconds)
    return f"{hours(sum(seconds))}, most {hours(most)} ({when}{starts[seconds.index(most)]})" if most else "not played"


def _products(out: Output, products: list[dict[str, Any]]) -> Any:
    """The bar of a total, and an id, are beside the value, or below it where there is no room."""
    is_corrected = any(one["corrected_seconds"] for one in products)
    is_roomy = out.is_wide and not is_corrected
    columns = [Column("product", least=0 if is_roomy else 36), Column("total", "right", whole=True)]
    columns += [Column("", whole=True)] if is_roomy else []
    columns += [Column("corrected", "right", whole=True)] if is_corrected else []
    columns += [Column("last (UTC)", whole=True), Column("sessions", "right")] if out.is_wide else []
    columns += [Column("product id", whole=True)] if is_roomy else []
    most = max((one["total_seconds"] for one in products), default=0)
    rows = []
    for one in products:
        title, total = one["title"] or "(no title yet)", span(one["total_seconds"])
        bar = Bar(share_of(one["total_seconds"], most), _BAR)
        rows.append(
            (
                title if is_roomy else lines(title, one["product_id"]),
                *((total, bar) if is_roomy else (below(total, bar),)),
                *([_correction(one["corrected_seconds"])] if is_corrected else []),
                *([day(one["last_played_at"]), one["session_count"]] if out.is_wide else []),
                *([one["product_id"]] if is_roomy else []),
            )
        )
    return table(columns, rows, empty="Nothing was played.")


def _correction(seconds: int) -> str:
    return span(seconds, signed=True) if seconds else ""


def _imports(out: Output, imports: list[dict[str, Any]]) -> Any:
    columns = [Column("imported (UTC)", whole=True), Column("device"), Column("sessions", "right")]
    columns += [Column("days")] if out.is_wide else []
    columns += [Column(name, "right", whole=True) for name in ("played", "counted")]
    rows = [
        (
            minute(one["recorded_at"]),
            one["device_id"] or "(no device)",
            one["sessions"],
            *([f"{day(one['first_start'])} to {day(one['last_end'])}"] if out.is_wide else []),
            span(one["seconds"]),
            span(one["counted_seconds"]),
        )
        for one in imports
    ]
    return table(columns, rows, empty="No session was imported.")


def _sessions(out: Output, sessions: list[dict[str, Any]], *, with_product: bool) -> Any:
    columns = [Column("start (UTC)", whole=True), Column("played", "right", whole=True)]
    columns += [Column("product")] if with_product else []
    columns += [Column("device"), Column("how it ended")]
    rows = [
        (
            minute(one["session"]["start_time"]),
            span(one["session"]["duration_seconds"]) if one["session"]["end_time"] else "",
            *([one["title"] or one["session"]["product_id"]] if with_product else []),
            one["session"]["device_id"] or "(no device)",
            end_of(one, with_time=out.is_wide or not with_product),
        )
        for one in sessions
    ]
    return table(columns, rows, empty="No sessions.")


def end_of(one: dict[str, Any], *, with_time: bool) -> str:
    """Returns how a session ended, or that it runs; for an imported one also its time of import and client id."""
    reason = one["session"]["end_reason"]
    if not one["session"]["end_time"]:
        state = f"runs, last sign of life {minute(one['last_heartbeat_at'])}"
    elif reason == "imported":
        state = f"imported {minute(one['recorded_at'])}" if with_time else "imported"
        state += f", {one['client_session_id']}"
    else:
        state = reason.replace("_", " ")
    return f"{state}; copy of {one['copy_owner_user_id']}" if one["copy_owner_user_id"] else state


def _corrections(corrections: list[dict[str, Any]]) -> Any:
    columns = [
        Column("corrected (UTC)", whole=True),
        Column("by", "right", whole=True),
        Column("product"),
        Column("why"),
    ]
    rows = [
        (
            minute(one["created_at"]),
            span(one["seconds"], signed=True),
            one["title"] or one["product_id"],
            one["reason"],
        )
        for one in corrections
    ]
    return table(columns, rows)
