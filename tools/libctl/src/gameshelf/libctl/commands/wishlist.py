"""``libctl wishlist``: what somebody wishes for, and why they were notified of a price or were not."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.money import money
from gameshelf.libctl.output import Branch, Column, Output, lines, table, tree, visible
from gameshelf.libctl.paging import say_pages
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import day, minute
from gameshelf.protos.library.v1 import admin_wishlist_pb2 as messages
from rich.text import Text

_UUID = 36
"""The characters of an id."""
_UNMET = {
    "not_announced": "it is neither a sale nor a lasting cut",
    "sale_over": "the sale is over",
    "other_currency": "the user sees the product in another currency",
    "cut_without_target": "of a lasting cut only users with a target price are notified",
    "cut_before_wish": "the cut came before the wish or its newest conditions",
    "above_target": "it is above the target price",
    "discount_too_small": "the discount is smaller than the user wants",
}


_LATER = "its record is gone since then, or the conditions were met only after its wishers had been notified"


@noun("wishlist")
def group() -> None:
    """Show a user's wishlist; explain why they were notified of a price or were not."""


@group.command()
@click.argument("user", type=USER_ID)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@answers(messages.ShowWishlistResponse, "items")
@click.pass_obj
def show(out: Output, user: UUID, limit: int, page: int) -> None:
    """List the products that a user wishes for, with conditions and current prices."""
    request = messages.ShowWishlistRequest(user_id=str(user), page=page, limit=limit)
    found = plain(connect().call("ShowWishlist", request))
    columns = [Column("product", least=_UUID), Column("notify of"), Column("price now")]
    rows = [
        (
            lines(one["title"] or "(no title)", one["product_id"], f"added {day(one['added_at'])}"),
            wanted_by(one),
            price_of(one["price"]) if one["price"] else "not known",
        )
        for one in found["items"]
    ]
    out.result(found, table(columns, rows, empty="The wishlist is empty."))
    say_pages(out, page, limit, found["total_items"])
    if not found["total_items"]:
        doubt(out, user)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@answers(messages.ExplainWishResponse)
@click.pass_obj
def explain(out: Output, user: UUID, product: UUID) -> None:
    """Show which condition each price meets or not, in which currency, and the notifications that the user got."""
    request = messages.ExplainWishRequest(user_id=str(user), product_id=str(product))
    found = plain(connect().call("ExplainWish", request))
    root = Text(visible(found["title"] or "(no title)")).append(f"  {product}", "dim")
    prices = [_verdict(one, found["wish"]) for one in found["prices"]]
    shown = [_wish(found), Branch(f"prices: {len(prices) or 'none known'}", prices), _notifications(found)]
    out.result(found, tree(root, shown))
    if not (found["wish"] or found["notifications"]):
        doubt(out, user, None if found["prices"] else product)


def _wish(found: dict[str, Any]) -> Branch:
    wish = found["wish"]
    if wish is None:
        owned = ": the user owns it, and what is bought is removed" if found["is_owned"] else ""
        return Branch(Text("not on the wishlist", style="bold red").append(owned, "not bold default"))
    label = Text("on the wishlist", style="bold green").append(
        f" since {minute(wish['added_at'])} UTC", "not bold default"
    )
    return Branch(label, [Branch(f"wants to be notified of {wanted_by(wish)}")])


def wanted_by(wish: dict[str, Any]) -> str:
    """The conditions of a wish."""
    conditions = []
    if wish["target_price_minor"] is not None:
        conditions.append(f"{money(wish['target_price_minor'], wish['target_currency'])} or less")
    if wish["min_discount_percent"] is not None:
        conditions.append(f"{wish['min_discount_percent']}% off or more")
    return ", ".join(conditions) or "any sale"


def price_of(price: dict[str, Any]) -> str:
    off = f", {price['discount_percent']}% off" if price["discount_percent"] else ""
    return f"{money(price['price_minor'], price['currency'])}{off}"


def _verdict(one: dict[str, Any], wish: dict[str, Any] | None) -> Branch:
    seen = "  ← the user sees this one" if one["is_seen"] else ""
    label = Text(visible(price_of(one["price"]))).append(seen, "bold")
    return Branch(label, [*_terms(one["price"]), *([_outcome(one)] if wish else [])])


def _terms(price: dict[str, Any]) -> Iterator[Branch]:
    if price["sale_id"]:
        ends = f", until {minute(price['sale_ends_at'])}" if price["sale_ends_at"] else ", end unknown"
        yield Branch(f"sale {price['sale_id']}{ends}")
    if price["cut_from_minor"] is not None:
        was = money(price["cut_from_minor"], price["currency"])
        yield Branch(f"lowered for good from {was}, received {minute(price['cut_received_at'])}")
    yield Branch(f"stated by the Catalog {minute(price['said_at'])}")


def _outcome(one: dict[str, Any]) -> Branch:
    if one["notification"]:
        at = minute(one["notification"]["notified_at"])
        return Branch(Text(f"the user was notified {at} UTC", style="green"))
    if one["unmet"]:
        why = [Branch(_UNMET.get(reason, reason)) for reason in one["unmet"]]
        return Branch(Text("no notification, because", style="red"), why)
    if one["is_pending"]:
        return Branch(Text("all conditions are met; its wishers are being notified now", style="yellow"))
    return Branch(Text("all conditions are met, and no notification is recorded", style="yellow"), [Branch(_LATER)])


def _notifications(found: dict[str, Any]) -> Branch:
    sent = [_notification(one) for one in found["notifications"]]
    return Branch(f"notifications of this product: {len(sent) or 'none'}", sent)


def _notification(one: dict[str, Any]) -> Branch:
    of = f"sale {one['sale_id']}" if one["sale_id"] else "a lasting cut"
    event = [Branch(f"notification {one['notification_id']}")] if one["notification_id"] else []
    return Branch(f"{minute(one['notified_at'])} UTC, {of}", event)
