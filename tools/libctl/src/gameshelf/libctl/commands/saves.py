"""``libctl saves``: what players have in the cloud, also in the trash."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import connect
from gameshelf.libctl.commands import reconcile, uploads
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.files import fetch, safe_file_name, safe_name
from gameshelf.libctl.history import contents, drawn
from gameshelf.libctl.ids import PRODUCT_ID, SAVE_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, lines, size, table
from gameshelf.libctl.paging import say_pages
from gameshelf.libctl.progress import progress
from gameshelf.libctl.shapes import STRING, Shape, answers, with_shape
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.protos.library.v1.cloud_save_service_pb2 import SaveFile, SaveVersion

_VERSION = click.IntRange(1, 2**53)

DOWNLOADED = Shape(
    fields={"file": STRING, "save": SaveVersion, "saved_file": SaveFile}, optional=frozenset({"saved_file"})
)
"""The shape of what downloads a save: where it is written, and what it is."""


@noun("saves")
def group() -> None:
    """List, download, restore and pin cloud saves."""


@group.command("list")
@click.argument("user", type=USER_ID)
@click.option("--product", type=PRODUCT_ID, help="Only this product.")
@click.option("--trash", is_flag=True, help="List the trash instead.")
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@answers(messages.ListSavesResponse, "saves")
@click.pass_obj
def list_(out: Output, user: UUID, product: UUID | None, trash: bool, page: int, limit: int) -> None:
    """List a user's saves, most recently uploaded first."""
    request = messages.ListSavesRequest(
        user_id=str(user), product_id=str(product or ""), page=page, limit=limit, in_trash=trash
    )
    found = plain(connect().call("ListSaves", request))
    columns = [
        Column("save", whole=True),
        Column("slot, product"),
        Column("deleted" if trash else "uploaded", whole=True),
    ]
    rows = [
        (
            lines(one["head"]["savegame_id"], _head(one)),
            lines(one["head"]["slot_name"], one["title"] or one["head"]["product_id"]),
            minute(one["deleted_at"] or one["head"]["server_uploaded_at"]),
        )
        for one in found["saves"]
    ]
    out.result(found, table(columns, rows, empty="Nothing in the trash." if trash else "No saves."))
    if found["saves"]:
        first = found["saves"][0]["head"]["savegame_id"]
        out.say(f"To list the versions of a save: libctl saves versions {user} {first}")
    elif not trash:
        out.say(f"To list the trash: libctl saves list {user} --trash")
    say_pages(out, page, limit, found["total_items"])
    if not found["total_items"]:
        doubt(out, user, product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("save", type=SAVE_ID)
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--content", is_flag=True, help="Also show the hash and the content identity of each version.")
@answers(messages.ListSaveVersionsResponse, "versions")
@click.pass_obj
def versions(out: Output, user: UUID, save: UUID, page: int, limit: int, content: bool) -> None:
    """Show the versions of a save as a tree, newest first, including pruned ones."""
    request = messages.ListSaveVersionsRequest(user_id=str(user), savegame_id=str(save), page=page, limit=limit)
    found = plain(connect().call("ListSaveVersions", request))
    parts: list[Any] = []
    if found["versions"]:
        shown = {"slot": found["versions"][0]["slot_name"], "product": found["versions"][0]["product_id"]}
        if found["deleted_at"]:
            shown["in the trash since"] = minute(found["deleted_at"])
        parts.append(facts(shown))
    parts.append(drawn(found["versions"], empty="No versions on this page."))
    if content:
        parts.append(contents(found["versions"]))
    out.result(found, *parts)
    if found["deleted_at"]:
        out.say(f"To take it out of the trash: libctl saves restore {user} {save}")
    say_pages(out, page, limit, found["total_items"])


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("save", type=SAVE_ID)
@click.option("--version", type=_VERSION, help="Version whose files are listed; the current one by default.")
@click.option("--page", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@answers(messages.ListSaveFilesOfUserResponse, "files")
@click.pass_obj
def files(out: Output, user: UUID, save: UUID, version: int | None, page: int, limit: int) -> None:
    """List the files of a version, also of a save in the trash."""
    request = messages.ListSaveFilesOfUserRequest(
        user_id=str(user), savegame_id=str(save), version=version, page=page, limit=limit
    )
    found = plain(connect().call("ListSaveFilesOfUser", request))
    of = found["save"]
    shown = {
        "slot": of["slot_name"],
        "version": f"v{of['version']} ({of['status']})",
        "files": of["file_count"] if of["file_count"] is not None else "a single file",
        "size": size(of["file_size_bytes"]),
    }
    columns = [Column("path"), Column("size", "right"), Column("changed", whole=True), Column("SHA-256", whole=True)]
    rows = [
        (one["path"] or of["slot_name"], size(one["size_bytes"]), minute(one["modified_at"]), one["sha256"][:12])
        for one in found["files"]
    ]
    out.result(found, facts(shown), table(columns, rows, empty="No files on this page."))
    say_pages(out, page, limit, found["total_items"])


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("save", type=SAVE_ID)
@click.option("--version", type=_VERSION, help="Version to download; the current one by default.")
@click.option("--file", "path", metavar="PATH", help="File of a set, by its path as `saves files` shows it.")
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="FILE", help="File to write; an existing file is not overwritten."
)
@with_shape(DOWNLOADED)
@click.pass_obj
def download(out: Output, user: UUID, save: UUID, version: int | None, path: str | None, to: Path | None) -> None:
    """Download a version, or a file of one, to a file and verify it. The audit records it."""
    download_to(out, user, save, version, to, path)


def download_to(
    out: Output, user: UUID | str, save: UUID | str, version: int | None, to: Path | None, path: str | None = None
) -> None:
    """Downloads a version, or a file of a set, into a file that is named after it unless ``to`` says where."""
    request = messages.DownloadSaveRequest(user_id=str(user), savegame_id=str(save), version=version, path=path or "")
    given = connect().call("DownloadSave", request)
    found = plain(given.save)
    if given.HasField("file"):
        file = plain(given.file)
        of = {"file_size_bytes": file["size_bytes"], "file_hash_sha256": file["sha256"]}
        target = to or Path(safe_file_name(file["path"], found["version"]))
    else:
        file, of = None, found
        target = to or Path(safe_name(found["slot_name"], found["version"]))
    with progress(out, f"downloading {size(of['file_size_bytes'])}") as report:
        fetch(given.download_url, target, of["file_size_bytes"], of["file_hash_sha256"], report)
    parts = {"file": target, "save": f"{found['slot_name']} v{found['version']} ({found['status']})"}
    if file:
        parts["path"] = file["path"]
    parts |= {"size": size(of["file_size_bytes"]), "SHA-256": f"{of['file_hash_sha256']}, verified"}
    encryption = (file or found)["encryption"]
    if encryption:
        parts["encrypted by the game"] = f"{encryption['scheme']}, key {encryption['key_id']}"
    result = {"file": str(target), "save": found}
    out.result(result | {"saved_file": file} if file else result, facts(parts))


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("save", type=SAVE_ID)
@click.option("--version", type=_VERSION, help="Version whose content becomes the new current version.")
@player_change("user", "save")
def restore(out: Output, user: UUID, save: UUID, version: int | None) -> ChangeCall:
    """Make an older version the current one. A save in the trash is taken out; without --version unchanged."""
    request = messages.RestoreSaveRequest(user_id=str(user), savegame_id=str(save), version=version)
    return ChangeCall("RestoreSave", request)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("save", type=SAVE_ID)
@click.argument("version", type=_VERSION)
@click.option("--unpin", is_flag=True, help="Let the version be pruned again.")
@player_change("user", "save", "version")
def pin(out: Output, user: UUID, save: UUID, version: int, unpin: bool) -> ChangeCall:
    """Keep a version regardless of its age. All kept versions but two can be pinned."""
    request = messages.PinSaveRequest(user_id=str(user), savegame_id=str(save), version=version, is_pinned=not unpin)
    return ChangeCall("PinSave", request)


def _head(of: dict[str, Any]) -> str:
    head = f"v{of['head']['version']}, {size(of['head']['file_size_bytes'])}"
    return head + (", conflict" if of["has_conflict"] else "")


reconcile.register(group)
uploads.register(group)
