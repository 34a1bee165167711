"""``libctl orders``: what was received about an order, and what it did."""

import shlex
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.commands.library import said_of
from gameshelf.libctl.errors import NothingFound
from gameshelf.libctl.ids import USER_ID, shown_ids
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Output, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_orders_pb2 as messages
from gameshelf.protos.library.v1.admin_finding_pb2 import FindRequest
from rich.text import Text

_MOST_PRODUCTS = 100
"""The number of an order's products that the service returns."""


@noun("orders")
def group() -> None:
    """Show what was received about an order, and what it did."""


@group.command()
@click.argument("order", shell_complete=shown_ids("order"))
@click.option("--user", type=USER_ID, help="The order's user, for an order of which nothing was applied.")
@answers(messages.ShowOrderResponse)
@click.pass_obj
def show(out: Output, order: str, user: UUID | None) -> None:
    """Show an order: purchases, refunds and reinstatements with their times, applied events and dead letters."""
    client, order = connect(), order.strip()
    request = messages.ShowOrderRequest(order_id=order, user_id=str(user or ""))
    try:
        found = plain(client.call("ShowOrder", request))
    except NothingFound as error:
        if other := _spelt_otherwise(client, order):
            raise NothingFound(error.message, f"libctl orders show {shlex.quote(other)}", code=error.reason) from None
        raise
    events = [_event(one) for one in found["events"]]
    letters = [_letter(one) for one in found["dead_letters"]]
    no_events = "none are kept any more" if found["products"] else "none"
    parts = [
        Branch(f"user {found['user_id']}"),
        Branch(f"products: {len(found['products']) or 'none'}", [_product(one) for one in found["products"]]),
        Branch(f"events of the same commits: {len(events) or no_events}", events),
        Branch(f"dead letters that name it: {len(letters) or 'none'}", letters),
    ]
    out.result(found, tree(f"order {order} (times of UTC)", parts))
    if len(found["products"]) >= _MOST_PRODUCTS:
        others = f"libctl library list {found['user_id']} --product PRODUCT"
        out.warn(f"At most {_MOST_PRODUCTS} products are shown. Of another one: {others}")
    if found["other_user_ids"]:
        out.warn(f"Other users have something of an order of this id: {', '.join(found['other_user_ids'])}")


def _spelt_otherwise(client: Client, order: str) -> str | None:
    """Returns the order whose id differs in upper case only: a receipt may print it otherwise than the Payment service
    spells it. None if there is none, or several.
    """
    found = client.call("Find", FindRequest(sought=order)).objects if order else ()
    alike = {one.id for one in found if one.kind == "order" and one.id.lower() == order.lower() and one.id != order}
    return alike.pop() if len(alike) == 1 else None


def _product(one: dict[str, Any]) -> Branch:
    label = Text(visible(one["title"] or "(no title)")).append("  " + visible(one["product_id"]), "dim")
    return Branch(label, [said_of(one["grant"]), Branch(f"first received {second(one['heard_at'])}")])


def _event(one: dict[str, Any]) -> Branch:
    return Branch(f"{second(one['received_at'])}  {one['event_id']} of {one['source']}")


def _letter(one: dict[str, Any]) -> Branch:
    label = Text(visible(f"{minute(one['created_at'])}  {one['reason']}"), style="red")
    return Branch(label, [Branch(one["detail"]), Branch(one["topic"]), Branch(f"letter {one['dead_letter_id']}")])


def second(moment: datetime) -> str:
    """A time of UTC, to the second: events of one order may be that close."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"
