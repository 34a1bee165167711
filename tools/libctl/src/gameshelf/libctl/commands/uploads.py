"""``libctl uploads``: uploads of saves that are not committed."""

from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import PRODUCT_ID, UPLOAD_ID, USER_ID
from gameshelf.libctl.main import Noun, noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, lines, size, table
from gameshelf.libctl.paging import say_pages
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages


@noun("uploads")
def group() -> None:
    """List and cancel uploads of saves that are not committed."""


@group.command("list")
@click.argument("user", type=USER_ID)
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@answers(messages.ListSaveUploadsResponse, "uploads")
@click.pass_obj
def list_(out: Output, user: UUID, product: UUID | None, page: int, limit: int) -> None:
    """List a user's unconfirmed uploads, oldest first."""
    request = messages.ListSaveUploadsRequest(user_id=str(user), product_id=str(product or ""), page=page, limit=limit)
    found = plain(connect().call("ListSaveUploads", request))
    columns = [Column("upload", whole=True), Column("slot, product"), Column("asked, until", whole=True)]
    rows = [
        (
            lines(one["upload"]["upload_id"], *_upload(one)),
            lines(
                one["upload"]["slot_name"],
                one["title"] or one["upload"]["product_id"],
                f"device {one['device_id']}" if one["device_id"] else "no device",
            ),
            lines(minute(one["upload"]["created_at"]), minute(one["upload"]["expires_at"])),
        )
        for one in found["uploads"]
    ]
    out.result(found, table(columns, rows, empty="No open uploads."))
    if found["uploads"]:
        out.say(f"To cancel one: libctl uploads cancel {user} {found['uploads'][0]['upload']['upload_id']}")
    say_pages(out, page, limit, found["total_items"])
    if not found["total_items"]:
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("upload", type=UPLOAD_ID)
@player_change("user", "upload")
def cancel(out: Output, user: UUID, upload: UUID) -> ChangeCall:
    """Cancel an open upload. Its reserved quota is free at once; the device requests a new upload."""
    request = messages.CancelSaveUploadOfUserRequest(user_id=str(user), upload_id=str(upload))
    return ChangeCall("CancelSaveUploadOfUser", request)


def register(saves: Noun) -> None:
    """Adds the listing to the noun ``saves`` as well, hidden: it had that name first."""
    saves.add_command(click.Command("uploads", callback=list_.callback, params=list_.params, hidden=True))


def _upload(of: dict[str, Any]) -> list[str]:
    waits = of["upload"]["missing_bytes"]
    sent = f"{size(waits)} to be sent" if waits else f"{size(of['file_size_bytes'])}, nothing to be sent"
    grown = f"from v{of['base_version']}" if of["base_version"] else "from nothing"
    return [sent, grown + (", a conflict" if of["upload"]["conflict_expected"] else "")]
