"""``libctl library``: what somebody owns, and why."""

from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Output, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute, span
from gameshelf.protos.library.v1 import admin_library_pb2 as messages
from rich.text import Text

_KINDS = ("order", "key", "gift", "claim", "support")


@noun("library")
def group() -> None:
    """List, grant and revoke the products that a user owns."""


@group.command("list")
@click.argument("user", type=USER_ID)
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@answers(messages.ListLibraryResponse, "items")
@click.pass_obj
def list_(out: Output, user: UUID, product: UUID | None, limit: int, page: int) -> None:
    """List the products that a user has or had, including shared ones, with every grant."""
    request = messages.ListLibraryRequest(user_id=str(user), product_id=str(product or ""), page=page, limit=limit)
    found = plain(connect().call("ListLibrary", request))
    branches = [branch_of(one) for one in found["items"]] or [Branch("nothing")]
    out.result(found, tree(f"library of {user} (times of UTC)", branches))
    if found["total_items"] > page * limit:
        out.say(f"{found['total_items']} products in total. Next: --page {page + 1}")
    if not found["total_items"]:
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@player_change("user")
def grant(out: Output, user: UUID, product: UUID) -> ChangeCall:
    """Grant a product to a user on behalf of support.

    Needs the role admin.
    """
    request = messages.GrantProductRequest(user_id=str(user), product_id=str(product))
    return ChangeCall("GrantProduct", request, lambda client: say_product(out, client, user, product))


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@click.option("--kind", type=click.Choice(_KINDS), help="End only the grant of this kind; needs --source.")
@click.option("--source", help="End only the grant of this order, key, gift or support action; needs --kind.")
@player_change("user")
def revoke(out: Output, user: UUID, product: UUID, kind: str | None, source: str | None) -> ChangeCall:
    """Revoke a product: end all its grants for good, or only the one given.

    Needs the role admin.
    """
    if (kind is None) != (source is None):
        raise Usage("--kind and --source are used together", f"libctl library list {user} --product {product}")
    request = messages.RevokeProductRequest(
        user_id=str(user), product_id=str(product), kind=kind or "", source_id=source or ""
    )
    return ChangeCall("RevokeProduct", request, lambda client: say_product(out, client, user, product))


def said_of(grant: dict[str, Any]) -> Branch:
    """A reason to own a product, in a line, with a line for each refund and reinstatement of an order."""
    since = minute(grant["acquired_at"]) or "start unknown"
    left = "" if grant["copies_left"] is None else f", {grant['copies_left']} left"
    copies = f", {grant['quantity']} copies{left}" if (grant["quantity"] or 1) > 1 else ""
    by = " by support" if grant["ended_by"] == "support" else ""
    ended = f", ended{by} {minute(grant['ended_at'])}" if grant["ended_at"] else ""
    line = f"{grant['kind']} {grant['source_id']}: {since}{copies}{ended}"
    return Branch(line, [Branch(_fact(one)) for one in grant["facts"]])


def _fact(one: dict[str, Any]) -> str:
    what = {"refund": "refunded", "reinstatement": "reinstated"}.get(one["kind"], one["kind"])
    named = f" ({one['fact_id'].removeprefix('id:')})" if one["fact_id"].startswith("id:") else ""
    return f"{what} {one['quantity'] or 'all'} {minute(one['occurred_at'])}{named}"


def say_product(out: Output, client: Client, user: UUID, product: UUID) -> None:
    """Says of which product a change is, and how the user stands to it."""
    asked = messages.ListLibraryRequest(user_id=str(user), product_id=str(product), limit=1)
    for one in plain(client.call("ListLibrary", asked))["items"]:
        since = f" since {minute(one['added_at'])} UTC" if one["added_at"] else ""
        out.say(f"{one['title'] or one['product_id']}: {access_of(one)}{since}.")


def branch_of(one: dict[str, Any]) -> Branch:
    label = Text(visible(one["title"] or "(no title)")).append("  " + visible(one["product_id"]), "dim")
    since = f" since {minute(one['added_at'])}" if one["added_at"] else ""
    access = Text(access_of(one), style="green" if one["added_at"] else "red").append(since, "default")
    branches = [Branch(access), *(said_of(each) for each in one["grants"])]
    if one["total_playtime_seconds"]:
        branches.append(Branch(f"played {span(one['total_playtime_seconds'])}"))
    return Branch(label, branches)


def access_of(one: dict[str, Any]) -> str:
    named = (one["acquisition_type"] if one["access"] == "owned" else one["access"]).replace("_", " ")
    shared = f" by {one['shared_from_user_id']}" if one["shared_from_user_id"] else ""
    return f"{named}{shared}{', hidden' if one['is_hidden'] else ''}"
