"""``libctl user``: a user at a glance, all that is stored of them, and their end."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.archive import Partial, partial
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.fetching import Absent, fetch
from gameshelf.libctl.happenings import KINDS, sentence
from gameshelf.libctl.ids import USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, lines, size, table
from gameshelf.libctl.progress import progress
from gameshelf.libctl.shapes import NUMBER, STRING, TIME, Shape, answers, list_of, map_of, with_shape
from gameshelf.libctl.times import MomentParameter, minute
from gameshelf.protos.library.v1 import admin_users_pb2 as messages

_TRACES = (
    "games_owned",
    "games_shared",
    "family_members",
    "family_owners",
    "total_playtime_seconds",
    "running_sessions",
    "achievements_unlocked",
    "wishlist_items",
    "games_with_settings",
    "saves",
    "saves_in_trash",
    "dead_letters",
    "last_sequence",
)
"""At least one of these counts is not zero for every user that the service knows."""
_KINDS_HELP = f"Only this kind, or several with the option repeated: {', '.join(KINDS)}."
_EXPORTED = Shape(
    fields={
        "file": STRING,
        "sha256": STRING,
        "user_id": STRING,
        "begun_at": TIME,
        "missing_files": list_of(STRING),
        "tables": map_of(Shape(fields={"rows": NUMBER, "bytes": NUMBER, "sha256": STRING})),
        "files": map_of(Shape(fields={"bytes": NUMBER, "sha256": STRING})),
    }
)
ERASURE = {"running": "being erased: some of its data may still exist", "done": "erased: no data is left"}


@noun("user")
def group() -> None:
    """Summarise, list, export or erase what is stored of a user."""


@group.command()
@click.argument("user", type=USER_ID)
@answers(messages.ShowUserResponse)
@click.pass_obj
def show(out: Output, user: UUID) -> None:
    """Summarise a user's data. The audit records it."""
    found = plain(connect().call("ShowUser", messages.ShowUserRequest(user_id=str(user))))
    if found["erasure"]:
        shown = {"user": user, "account": ERASURE[found["erasure"]], "erased at": found["erased_at"]}
        out.result(found, facts(shown))
        return
    out.result(found, facts(summary_of(found)))
    if not any(found[name] for name in _TRACES):
        doubt(out, user)


@group.command()
@click.argument("user", type=USER_ID)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, metavar="KIND", help=_KINDS_HELP)
@click.option("--since", type=MomentParameter(), metavar="TIME", help="Only what happened at this time or later.")
@click.option("--until", type=MomentParameter(), metavar="TIME", help="Only what happened before this time.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page before ended.")
@answers(messages.ListTimelineResponse, "entries")
@click.pass_obj
def timeline(
    out: Output,
    user: UUID,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str,
) -> None:
    """List what happened to a user, in the game and by support, the newest first."""
    request = messages.ListTimelineRequest(user_id=str(user), kinds=kinds, limit=limit, cursor=cursor)
    for name, time in (("since", since), ("until", until)):
        if time:
            getattr(request, name).FromDatetime(time)
    found = plain(connect().call("ListTimeline", request))
    columns = [Column("time (UTC)", whole=True), Column("what happened")]
    columns += [Column("product")] if out.is_wide else []
    rows = [(minute(one["at"]), *_happened(one, is_wide=out.is_wide)) for one in found["entries"]]
    out.result(found, table(columns, rows, empty="Nothing happened."))
    if found["next_cursor"]:
        out.say(f"More: --cursor {found['next_cursor']}")
    if not found["entries"]:
        doubt(out, user)


def _happened(one: dict[str, Any], *, is_wide: bool) -> Sequence[object]:
    """What happened, and the product: beside it, or below it where there is no room."""
    said, product = sentence(one["kind"], one["facts"]), one["title"] or one["product_id"]
    if is_wide:
        return said, product
    return [lines(said, product) if product else said]


def summary_of(found: dict[str, Any]) -> dict[str, object]:
    """The rows of the drawn summary."""
    hours, minutes = divmod(found["total_playtime_seconds"] // 60, 60)
    last = f", last at {found['last_played_at']:%Y-%m-%d %H:%M} UTC" if found["last_played_at"] else ""
    taken = found["used_bytes"] + found["reserved_bytes"]
    return {
        "user": found["user_id"],
        "games": f"{found['games_owned']} owned, {found['games_shared']} shared by others",
        "family": f"shares with {found['family_members']}, may play games of {found['family_owners']}",
        "played": f"{hours} h {minutes:02} min{last}",
        "sessions running": found["running_sessions"],
        "playtime anomalies": found["playtime_anomalies"],
        "achievements": f"{found['achievements_unlocked']} unlocked",
        "wishlist": found["wishlist_items"],
        "games with settings": found["games_with_settings"],
        "saves": f"{found['saves']}, {found['saves_in_trash']} in the trash, {found['open_conflicts']} open conflicts",
        "storage for saves": f"{size(taken)} of {size(found['limit_bytes'])}",
        "dead letters": found["dead_letters"],
        "events": f"newest is number {found['last_sequence']}" if found["last_sequence"] else "none so far",
    }


@group.command()
@click.argument("user", type=USER_ID)
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.zip",
    help="Archive to write; an existing file is not overwritten.",
)
@with_shape(_EXPORTED)
@click.pass_obj
def export(out: Output, user: UUID, target: Path) -> None:
    """Export all data and save files of a user as an archive. Resumes after an interruption.

    Needs the role admin.
    """
    client = connect()
    with partial(target, user) as archive:
        try:
            _gather(out, client, user, archive)
            made = archive.pack()
        except BaseException:
            if archive.begun:
                out.say(f"The part exported so far is in {target}.partial. Run the same command to resume.")
            raise
    rows = [(name, counts["rows"], size(counts["bytes"])) for name, counts in made["tables"].items()]
    columns = [Column("table"), Column("rows", "right"), Column("size", "right")]
    files = f"{len(made['files'])}, {size(sum(file['bytes'] for file in made['files'].values()))}"
    shown = {"files of saves": files, "archive": made["file"], "SHA-256": made["sha256"]}
    out.result(made, table(columns, rows), facts(shown))
    if made["missing_files"]:
        out.warn(f"The object store has lost {len(made['missing_files'])} files; manifest.json names them.")


def _gather(out: Output, client: Client, user: UUID, archive: Partial) -> None:
    """Exports part by part: first the files, because their URLs expire soon, then the rows, then the cursor."""
    with progress(out, "rows") as report:
        while not archive.is_whole:
            asked = messages.ExportUserRequest(user_id=str(user), cursor=archive.cursor)
            part = client.call("ExportUser", asked)
            missing = [file.name for file in part.files if not _is_fetched(file, archive)]
            archive.take(((found.table, found.rows) for found in part.rows), part.next_cursor, missing)
            report(f"{part.done:,} of {part.total:,}")


def _is_fetched(file: messages.ExportedFile, archive: Partial) -> bool:
    """Fetches a file; False where the store has lost it."""
    try:
        fetch(file.download_url, archive.file(file.name), file.file_size_bytes, file.file_hash_sha256)
    except Absent:
        return False
    return True


@group.command()
@click.argument("user", type=USER_ID)
@player_change("user", confirms=True)
def erase(out: Output, user: UUID) -> ChangeCall:
    """End an account and erase all its data. Cannot be undone.

    Needs the role admin.
    """
    return ChangeCall("EraseUser", messages.EraseUserRequest(user_id=str(user)))
