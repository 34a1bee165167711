"""``libctl quota``: how much room a user's saves take, and may take."""

from uuid import UUID

import click
from gameshelf.libctl.changing import Wanted, carry_out, changing
from gameshelf.libctl.client import connect
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, size, table
from gameshelf.libctl.sizes import Size
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from rich.text import Text

_BAR = 24


@noun("quota")
def group() -> None:
    """How much room a user's saves take, and may take."""


@group.command()
@click.argument("user", type=click.UUID)
@click.pass_obj
def show(out: Output, user: UUID) -> None:
    """What a user's saves take, with a bar for each product."""
    quota = connect().call("ShowQuota", messages.ShowQuotaRequest(user_id=str(user)))
    taken = quota.used_bytes + quota.reserved_bytes
    limit = f"{size(quota.limit_bytes)} ({'set by support' if quota.is_override else 'the usual one'})"
    told = {
        "used": Text(f"{size(taken)} of {size(quota.limit_bytes)}  ").append_text(bar(taken, quota.limit_bytes)),
        "limit": limit,
        "uploads under way": size(quota.reserved_bytes),
    }
    rows = [
        (
            product.title or product.product_id,
            size(product.used_bytes + product.reserved_bytes),
            bar(product.used_bytes + product.reserved_bytes, quota.limit_bytes),
        )
        for product in quota.products
    ]
    columns = [Column("product"), Column("takes", "right"), Column("of the limit")]
    out.result(plain(quota), facts(told), table(columns, rows, empty="No saves."))


@group.command("set")
@click.argument("user", type=click.UUID)
@click.argument("limit", type=Size())
@changing
@click.pass_obj
def set_(out: Output, user: UUID, limit: int, wanted: Wanted) -> None:
    """Gives a user a limit of their own, such as 2GiB. What they keep stays, also beyond it."""
    carry_out(out, "SetQuota", messages.SetQuotaRequest(user_id=str(user), limit_bytes=limit), wanted)


@group.command()
@click.argument("user", type=click.UUID)
@changing
@click.pass_obj
def reset(out: Output, user: UUID, wanted: Wanted) -> None:
    """The usual limit counts for a user again."""
    carry_out(out, "ResetQuota", messages.ResetQuotaRequest(user_id=str(user)), wanted)


def bar(taken: int, limit: int) -> Text:
    """How much of a limit is taken, drawn."""
    part = taken / limit if limit else 1.0
    full = min(round(part * _BAR), _BAR)
    style = "red" if part >= 0.95 else "yellow" if part >= 0.8 else "green"
    return Text("█" * full, style=style).append("░" * (_BAR - full), "dim").append(f" {part:4.0%}")
