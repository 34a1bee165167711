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
from gameshelf.libctl.times import Day, Span, day, day_in_utc, minute, span
from gameshelf.protos.library.v1 import admin_playtime_pb2 as messages

_KINDS = ("long_day", "fast_import")


@noun("playtime")
def group() -> None:
    """How long somebody has played, and where that can't be."""


@group.command()
@click.argument("user", type=click.UUID)
@click.option("--product", type=click.UUID, help="Only this product.")
@click.option("--day", "on_day", type=Day(), help="Only the sessions that touch this day of UTC.")
@click.option("--imports", is_flag=True, help="How much of the product's total was told at once; needs --product.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many of each.")
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, help="Which page of the products.")
@click.option("--cursor", default="", help="Go on behind the last session of a page before.")
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
    """Totals, the sessions behind them, and corrections."""
    if imports and not product:
        raise Usage("--imports is about one product", "name it with --product")
    since, until = day_in_utc(on_day) if on_day else (None, None)
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
    parts = [_sessions(out, found["sessions"], with_product=product is None)]
    if not cursor:
        parts.insert(0, _products(out, found["products"]))
    if imports:
        parts.insert(1, _imports(out, found["imports"]))
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
    """Counts totals anew from sessions and corrections. What differs is put right."""
    request = messages.RecomputePlaytimeRequest(user_id=str(user), product_id=str(product or ""))
    carry_out(out, "RecomputePlaytime", request, wanted)


@group.command()
@click.option("--user", type=click.UUID, help="Of this user; else of all.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only of this kind.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Go on behind the last one of a page before.")
@click.pass_obj
def anomalies(out: Output, user: UUID | None, kind: str | None, limit: int, cursor: str) -> None:
    """Play that can't be, for people to judge.

    It was kept, and counts. long_day: 24 hours or more on one day of UTC, all games and devices together.
    fast_import: an import had more play than time has passed since the player's last one, on any device.
    """
    wanted = messages.ListPlaytimeAnomaliesRequest(user_id=str(user or ""), kind=kind or "", limit=limit, cursor=cursor)
    found = plain(connect().call("ListPlaytimeAnomalies", wanted))
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
        out.say(f"There is more: --cursor {found['next_cursor']}")


def _say_total(out: Output, client: Client, user: UUID, product: UUID, seconds: int) -> None:
    """Says of which game how much there is and would be. Raises Usage for taking more than there is."""
    asked = messages.ShowPlaytimeRequest(user_id=str(user), product_id=str(product), limit=1)
    of = next(iter(client.call("ShowPlaytime", asked).products), messages.ProductPlaytime(product_id=str(product)))
    name, total = of.title or of.product_id, of.total_seconds + seconds
    if total < 0:
        raise Usage(f"{name} was played for {span(of.total_seconds)}", f"--take {of.total_seconds}s, or less")
    out.say(f"{name}: {span(of.total_seconds)} in all; with {span(seconds, signed=True)} it is {span(total)}.")


def _products(out: Output, products: list[dict[str, Any]]) -> Any:
    is_corrected = any(one["corrected_seconds"] for one in products)
    columns = [Column("product"), Column("total", "right", whole=True)]
    columns += [Column("corrected", "right", whole=True)] if is_corrected else []
    columns += [Column("last (UTC)", whole=True), Column("sessions", "right")] if out.is_wide else []
    rows = [
        (
            one["title"] or "(no title yet)",
            span(one["total_seconds"]),
            *([_correction(one["corrected_seconds"])] if is_corrected else []),
            *([day(one["last_played_at"]), one["session_count"]] if out.is_wide else []),
            one["product_id"],
        )
        for one in products
    ]
    columns.append(Column("product id", whole=True))
    return table(columns, rows, empty="Nothing was played.")


def _correction(seconds: int) -> str:
    return span(seconds, signed=True) if seconds else ""


def _imports(out: Output, imports: list[dict[str, Any]]) -> Any:
    columns = [Column("told (UTC)", whole=True), Column("device"), Column("sessions", "right")]
    columns += [Column("of these days")] if out.is_wide else []
    columns += [Column(name, "right", whole=True) for name in ("played", "of the total")]
    rows = [
        (
            minute(one["recorded_at"]),
            one["device_id"] or "(none named)",
            one["sessions"],
            *([f"{day(one['first_start'])} to {day(one['last_end'])}"] if out.is_wide else []),
            span(one["seconds"]),
            span(one["counted_seconds"]),
        )
        for one in imports
    ]
    return table(columns, rows, empty="Nothing was told of later.")


def _sessions(out: Output, sessions: list[dict[str, Any]], *, with_product: bool) -> Any:
    columns = [Column("start (UTC)", whole=True), Column("played", "right", whole=True)]
    columns += [Column("product")] if with_product else []
    columns += [Column("device"), Column("how it ended")]
    rows = [
        (
            minute(one["session"]["start_time"]),
            span(one["session"]["duration_seconds"]) if one["session"]["end_time"] else "",
            *([one["title"] or one["session"]["product_id"]] if with_product else []),
            one["session"]["device_id"] or "(none named)",
            _end(one, with_time=out.is_wide or not with_product),
        )
        for one in sessions
    ]
    return table(columns, rows, empty="No sessions.")


def _end(one: dict[str, Any], *, with_time: bool) -> str:
    """How a session ended, or that it runs; for one that was told of later, when and under which id."""
    reason = one["session"]["end_reason"]
    if not one["session"]["end_time"]:
        told = f"runs, last sign of life {minute(one['last_heartbeat_at'])}"
    elif reason == "imported":
        told = f"told {minute(one['recorded_at'])}" if with_time else "imported"
        told += f", {one['client_session_id']}"
    else:
        told = reason.replace("_", " ")
    return f"{told}; copy of {one['copy_owner_user_id']}" if one["copy_owner_user_id"] else told


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
