"""``libctl settings``: what somebody has set in their games, what it was before, and the way back."""

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, lines, size, table, visible
from gameshelf.libctl.paging import say_pages
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_settings_pb2 as messages
from rich.console import RenderableType
from rich.text import Text

_UUID = 36
"""The characters of an id."""
_LARGEST = 2**63 - 1
F = TypeVar("F", bound=Callable[..., Any])


def of_layer(command: F) -> F:
    """Gives a command the options that name an overlay."""
    device = click.option("--device", default="", metavar="ID", help="The overlay of this device.")
    platform = click.option("--platform", default="", metavar="NAME", help="The overlay of this platform.")
    return platform(device(command))


@noun("settings")
def group() -> None:
    """Show a user's settings of games, and restore what they were."""


@group.command("list")
@click.argument("user", type=USER_ID)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@answers(messages.ListSettingsOfUserResponse, "games")
@click.pass_obj
def list_(out: Output, user: UUID, limit: int, page: int) -> None:
    """List the games with settings, the last changed first."""
    request = messages.ListSettingsOfUserRequest(user_id=str(user), page=page, limit=limit)
    found = plain(connect().call("ListSettingsOfUser", request))
    columns = [Column("product", least=_UUID), Column("layers"), Column("changed (UTC)", whole=True)]
    columns += [Column("last read (UTC)", whole=True)] if out.is_wide else []
    rows = [
        (
            lines(one["title"] or "(no title)", one["settings"]["product_id"]),
            layers_of(one["settings"]),
            minute(one["settings"]["last_updated_at"]),
            *([minute(one["settings"]["last_synced_with_cloud_at"])] if out.is_wide else []),
        )
        for one in found["games"]
    ]
    out.result(found, table(columns, rows, empty="No game has settings."))
    say_pages(out, page, limit, found["total_items"])
    if not found["total_items"]:
        doubt(out, user)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@of_layer
@click.option("--revision", type=click.IntRange(1, _LARGEST), help="As it was at this revision; see history.")
@answers(messages.ShowSettingsOfUserResponse)
@click.pass_obj
def show(out: Output, user: UUID, product: UUID, platform: str, device: str, revision: int | None) -> None:
    """Print the payload of a layer, by default of the account's, and list all layers."""
    request = messages.ShowSettingsOfUserRequest(
        user_id=str(user), product_id=str(product), platform=platform, device_id=device, revision=revision or 0
    )
    found = plain(connect().call("ShowSettingsOfUser", request))
    named = f"the device {device}" if device else f"the platform {platform}" if platform else "the account"
    payload = found["settings_payload"]
    if payload is None:
        said = Text("\n" + visible(f"There is no layer of {named}."))
    else:
        said = Text("\n" + visible(f"Layer of {named}, revision {found['revision']}:")).append("\n" + _pretty(payload))
    out.result(found, _heading(found, product), _current(found), said)
    if not found["layers"]:
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page before ended.")
@answers(messages.ListSettingsHistoryResponse, "kept")
@click.pass_obj
def history(out: Output, user: UUID, product: UUID, limit: int, cursor: str) -> None:
    """List the payloads that were replaced or deleted: of each layer the last 10, for 30 days."""
    request = messages.ListSettingsHistoryRequest(
        user_id=str(user), product_id=str(product), limit=limit, cursor=cursor
    )
    found = plain(connect().call("ListSettingsHistory", request))
    columns = [Column("revision", "right", whole=True), Column("layer")]
    columns += [Column("written (UTC)", whole=True)] if out.is_wide else []
    columns += [Column("ended (UTC)", whole=True), Column("by", whole=True), Column("size", "right", whole=True)]
    rows = [
        (
            one["revision"],
            _name(one),
            *([minute(one["written_at"]) or "not known"] if out.is_wide else []),
            minute(one["ended_at"]),
            one["ended_by"],
            size(one["size_bytes"]),
        )
        for one in found["kept"]
    ]
    kept = table(columns, rows, empty="Nothing was replaced or deleted in the last 30 days.")
    out.result(found, _heading(found, product), _current(found), kept)
    if not (found["layers"] or found["kept"]):
        doubt(out, user, product)
    if found["next_cursor"]:
        out.say(f"More: --cursor {found['next_cursor']}")


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@click.argument("kept", metavar="REVISION", type=click.IntRange(1, _LARGEST))
@of_layer
@player_change("user", "product", "kept", line="USER PRODUCT REVISION")
def restore(out: Output, user: UUID, product: UUID, kept: int, platform: str, device: str) -> ChangeCall:
    """Write the payload that a layer had at REVISION again; the devices of the player get it.

    Without --platform and --device it is the layer of the account.
    """
    request = messages.RestoreSettingsRequest(
        user_id=str(user), product_id=str(product), platform=platform, device_id=device, revision=kept
    )
    return ChangeCall("RestoreSettings", request)


def layers_of(of: dict[str, Any]) -> str:
    account = ["account"] if of["has_account_layer"] else []
    overlays = [f"{of['overlay_count']} overlay{'s' if of['overlay_count'] > 1 else ''}"] if of["overlay_count"] else []
    return ", ".join([*account, *overlays]) or "all deleted"


def _heading(found: dict[str, Any], product: UUID) -> RenderableType:
    return lines(found["title"] or "(no title)", product)


def _current(found: dict[str, Any]) -> RenderableType:
    """The layers that there are now."""
    columns = [
        Column("layer now"),
        Column("revision", "right", whole=True),
        Column("changed (UTC)"),
        Column("used (UTC)"),
    ]
    rows = [
        (_name(one), one["revision"], minute(one["last_updated_at"]), minute(one["last_used_at"]) or "-")
        for one in found["layers"]
    ]
    return table(columns, rows, empty="The game has no settings now.")


def _name(of: dict[str, Any]) -> str:
    named = of["platform"] or of["device_id"]
    return f"{of['layer']} {named}" if named else str(of["layer"])


def _pretty(payload: dict[str, Any]) -> str:
    """JSON in which nothing can harm a terminal."""
    return visible(json.dumps(payload, indent=2, ensure_ascii=False), lines=True)
