"""``libctl playtime``: how long somebody has played, and where that can't be."""

from datetime import date
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.changing import Wanted, carry_out, changing
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, table
from gameshelf.libctl.times import Day, Span, day_in_utc, minute, span
from gameshelf.protos.library.v1 import admin_playtime_pb2 as messages

_KINDS = {"long_day": "more than 24 hours on a day", "fast_import": "told of more than time had passed"}


@noun("playtime")
def group() -> None:
    """How long somebody has played, and where that can't be."""


@group.command()
@click.argument("user", type=click.UUID)
@click.option("--product", type=click.UUID, help="Only this product.")
@click.option("--day", type=Day(), help="Only the sessions that touch this day of UTC.")
@click.option("--imports", is_flag=True, help="How much of the product's total was told at once; needs --product.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many of each.")
@click.option("--page", type=click.IntRange(1), default=1, help="Which page of the products.")
@click.option("--cursor", default="", help="Go on behind the last session of a page before.")
@click.pass_obj
def show(
    out: Output,
    user: UUID,
    product: UUID | None,
    day: date | None,
    imports: bool,
    limit: int,
    page: int,
    cursor: str,
) -> None:
    """Totals by product, the sessions behind them, and what support has corrected."""
    if imports and not product:
        raise Usage("--imports is about one product", "name it with --product")
    since, until = day_in_utc(day) if day else (None, None)
    wanted = messages.ShowPlaytimeRequest(
        user_id=str(user),
        product_id=str(product or ""),
        page=page,
        limit=limit,
        since=since,
        until=until,
        cursor=cursor,
        with_imports=imports,
    )
    found = plain(connect().call("ShowPlaytime", wanted))
    parts = [_sessions(found["sessions"])]
    if not cursor:
        parts.insert(0, _products(found["products"]))
    if imports:
        parts.insert(1, _imports(found["imports"]))
    if found["corrections"]:
        parts.append(_corrections(found["corrections"]))
    out.result(found, *parts)
    if found["total_products"] > page * limit:
        out.say(f"There are {found['total_products']} products: --page {page + 1}")
    if found["next_cursor"]:
        out.say(f"There are more sessions: --cursor {found['next_cursor']}")


@group.command()
@click.argument("user", type=click.UUID)
@click.argument("product", type=click.UUID)
@click.option("--add", type=Span(), help="This much was played too, such as 1h30m.")
@click.option("--take", type=Span(), help="This much was not played, such as 2690h; never below zero.")
@changing
@click.pass_obj
def correct(out: Output, user: UUID, product: UUID, add: int | None, take: int | None, wanted: Wanted) -> None:
    """Adds to what a product was played, or takes from it. The sessions stay as they are."""
    if (add is None) == (take is None):
        raise Usage("say how much: --add or --take, one of the two", "--take 2690h")
    seconds = add or -(take or 0)
    client = connect()
    if not out.as_json:
        _say_total(out, client, user, product, seconds)
    request = messages.CorrectPlaytimeRequest(user_id=str(user), product_id=str(product), seconds=seconds)
    carry_out(out, "CorrectPlaytime", request, wanted, client)


@group.command()
@click.argument("user", type=click.UUID)
@click.option("--product", type=click.UUID, help="Only this product.")
@changing
@click.pass_obj
def recompute(out: Output, user: UUID, product: UUID | None, wanted: Wanted) -> None:
    """Counts totals anew from every session and correction, and puts right what differs."""
    request = messages.RecomputePlaytimeRequest(user_id=str(user), product_id=str(product or ""))
    carry_out(out, "RecomputePlaytime", request, wanted)


@group.command()
@click.option("--user", type=click.UUID, help="Of this user; else of all.")
@click.option("--kind", type=click.Choice(list(_KINDS)), help="Only of this kind.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Go on behind the last one of a page before.")
@click.pass_obj
def anomalies(out: Output, user: UUID | None, kind: str | None, limit: int, cursor: str) -> None:
    """Play that can't be: it was kept and counted, and is for people to judge."""
    wanted = messages.ListPlaytimeAnomaliesRequest(user_id=str(user or ""), kind=kind or "", limit=limit, cursor=cursor)
    found = plain(connect().call("ListPlaytimeAnomalies", wanted))
    columns = [Column("found (UTC)"), Column("what"), Column("which"), Column("played", "right")]
    rows = [
        [minute(one["found_at"]), _KINDS.get(one["kind"], one["kind"]), one["subject"], span(one["seconds"])]
        for one in found["anomalies"]
    ]
    if user is None:
        columns.insert(1, Column("user", whole=True))
        for row, one in zip(rows, found["anomalies"], strict=True):
            row.insert(1, one["user_id"])
    out.result(found, table(columns, rows, empty="Nothing that can't be."))
    if found["next_cursor"]:
        out.say(f"There is more: --cursor {found['next_cursor']}")


def _say_total(out: Output, client: Client, user: UUID, product: UUID, seconds: int) -> None:
    """Says of which game how much there is and would be. Raises Usage for taking more than there is."""
    asked = messages.ShowPlaytimeRequest(user_id=str(user), product_id=str(product), limit=1)
    of = next(iter(client.call("ShowPlaytime", asked).products), messages.ProductPlaytime(product_id=str(product)))
    name, total = of.title or of.product_id, of.total_seconds + seconds
    if total < 0:
        raise Usage(f"{name} was played for {span(of.total_seconds)}", f"--take {of.total_seconds}s, or less")
    out.say(f"{name}: {span(of.total_seconds)} in all; with {span(seconds, signed=True)} it is {span(total)}.")


def _products(products: list[dict[str, Any]]) -> Any:
    columns = [
        Column("product"),
        *(Column(name, "right") for name in ("total", "corrected", "2 weeks")),
        Column("last (UTC)"),
        Column("sessions", "right"),
    ]
    rows = [
        (
            one["title"] or one["product_id"],
            span(one["total_seconds"]),
            span(one["corrected_seconds"], signed=True) if one["corrected_seconds"] else "",
            span(one["recent_seconds"]) if one["recent_seconds"] else "",
            minute(one["last_played_at"]),
            one["session_count"],
        )
        for one in products
    ]
    return table(columns, rows, empty="Nothing was played.")


def _imports(imports: list[dict[str, Any]]) -> Any:
    columns = [
        Column("told of (UTC)"),
        Column("device"),
        Column("sessions", "right"),
        Column("of these days"),
        Column("played", "right"),
        Column("of the total", "right"),
    ]
    rows = [
        (
            minute(one["recorded_at"]),
            one["device_id"] or "(none named)",
            one["sessions"],
            f"{one['first_start']:%Y-%m-%d} to {one['last_end']:%Y-%m-%d}",
            span(one["seconds"]),
            span(one["counted_seconds"]),
        )
        for one in imports
    ]
    return table(columns, rows, empty="Nothing was told of later.")


def _sessions(sessions: list[dict[str, Any]]) -> Any:
    columns = [
        Column("start (UTC)"),
        Column("played", "right"),
        Column("product"),
        Column("device"),
        Column("how it ended"),
    ]
    rows = [
        (
            minute(one["session"]["start_time"]),
            span(one["session"]["duration_seconds"]) if one["session"]["end_time"] else "",
            one["title"] or one["session"]["product_id"],
            one["session"]["device_id"] or "(none named)",
            _end(one),
        )
        for one in sessions
    ]
    return table(columns, rows, empty="No sessions.")


def _end(one: dict[str, Any]) -> str:
    """How a session ended, or that it runs; for one that was told of later, when and under which id."""
    reason = one["session"]["end_reason"]
    if not one["session"]["end_time"]:
        told = f"runs, last sign of life {minute(one['last_heartbeat_at'])}"
    elif reason == "imported":
        told = f"told of {minute(one['recorded_at'])} as {one['client_session_id']}"
    else:
        told = reason.replace("_", " ")
    return f"{told}; copy of {one['copy_owner_user_id']}" if one["copy_owner_user_id"] else told


def _corrections(corrections: list[dict[str, Any]]) -> Any:
    columns = [Column("corrected (UTC)"), Column("by", "right"), Column("product"), Column("why")]
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
