"""Open conflicts, cloud saves and the trash. A save opens its versions."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.history import lanes, played
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import size
from gameshelf.libctl.times import minute
from gameshelf.libctl.tui.listing import (
    LIMIT,
    ListedField,
    ListedPart,
    Listing,
    Reader,
    Row,
    Suggested,
    detail,
    label,
    listing,
    paged,
)
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from rich.text import Text


def listing_of(user: UUID) -> Listing:
    """Lists conflicts, saves and the trash, each kind as far as it goes."""
    fields = (
        ListedField("kind", 8),
        ListedField("slot"),
        ListedField("product"),
        ListedField("version, size", 17),
        ListedField("when", 16),
    )
    readers = (
        Reader("conflicts", lambda client, cursor: _conflicts(user, client, cursor)),
        Reader("saves", _saves(user, in_trash=False)),
        Reader("trash", _saves(user, in_trash=True)),
    )
    return listing("Saves", fields, *readers, empty="No saves, and nothing in the trash.")


def _conflicts(user: UUID, client: Client, cursor: str | None) -> ListedPart:
    request = messages.ListSaveConflictsRequest(user_id=str(user), limit=LIMIT, cursor=cursor or "")
    found = plain(client.call("ListSaveConflicts", request))
    return ListedPart([_conflict(user, one) for one in found["conflicts"]], found["next_cursor"] or None)


def _conflict(user: UUID, one: dict[str, Any]) -> Row:
    of = one["conflict"]
    conflict, head, branch = of["conflict_id"], of["head"], of["branch"]
    drawn = detail(
        label(head["slot_name"], one["title"] or head["product_id"]),
        f"conflict {conflict}",
        f"open since {minute(of['opened_at'])} UTC",
        f"cloud: v{head['version']} of {head['device_id']}, {size(head['file_size_bytes'])}",
        f"local: v{branch['version']} of {branch['device_id']}, {size(branch['file_size_bytes'])}",
    )
    resolve = ("conflicts", "resolve", user, conflict, "--keep")
    commands = [
        Suggested("compare both sides", ("conflicts", "show", user, conflict)),
        Suggested("keep the branch", (*resolve, "local")),
        Suggested("keep the head", (*resolve, "cloud")),
        Suggested("keep both, each as a save", (*resolve, "both")),
    ]
    version = f"v{head['version']} beside v{branch['version']}"
    title = one["title"] or head["product_id"]
    cells = (Text("conflict", style="yellow"), head["slot_name"], title, version, minute(of["opened_at"]))
    return Row(conflict, cells, drawn, commands, _versions(user, head["savegame_id"], head["slot_name"]))


def _saves(user: UUID, *, in_trash: bool) -> Any:
    def request(page: int) -> messages.ListSavesRequest:
        return messages.ListSavesRequest(user_id=str(user), page=page, limit=LIMIT, in_trash=in_trash)

    def rows(found: dict[str, Any]) -> ListedPart:
        counted = f"{found['total_items']:,} {'in the trash' if in_trash else 'saves'}"
        return ListedPart([_save(user, one) for one in found["saves"]], total=counted)

    return paged(request, "ListSaves", rows)


def _save(user: UUID, one: dict[str, Any]) -> Row:
    head = one["head"]
    save, slot, title = head["savegame_id"], head["slot_name"], one["title"] or head["product_id"]
    kind = Text("trash", style="red") if one["deleted_at"] else Text("save", style="green")
    when = one["deleted_at"] or head["server_uploaded_at"]
    drawn = detail(
        label(slot, title),
        f"save {save}",
        f"v{head['version']}, {size(head['file_size_bytes'])}, by {head['device_id'] or 'an unnamed device'}",
        f"in the trash since {minute(one['deleted_at'])} UTC" if one["deleted_at"] else "",
        "an open conflict" if one["has_conflict"] else "",
        Text("Enter lists its versions.", "dim"),
    )
    commands = [Suggested("its versions", ("saves", "versions", user, save))]
    if one["deleted_at"]:
        commands.append(Suggested("take it out of the trash", ("saves", "restore", user, save)))
    commands += [
        Suggested("the files of its newest version", ("saves", "files", user, save)),
        Suggested("download and verify it", ("saves", "download", user, save)),
    ]
    cells = (kind, slot, title, f"v{head['version']}, {size(head['file_size_bytes'])}", minute(when))
    return Row(save, cells, drawn, commands, _versions(user, save, slot))


def _versions(user: UUID, save: str, slot: str) -> Listing:
    def request(page: int) -> messages.ListSaveVersionsRequest:
        return messages.ListSaveVersionsRequest(user_id=str(user), savegame_id=save, page=page, limit=LIMIT)

    def rows(found: dict[str, Any]) -> ListedPart:
        versions = found["versions"]
        made = [_version(user, one, lane) for one, lane in zip(versions, lanes(versions), strict=True)]
        return ListedPart(made, total=f"{found['total_items']:,} versions")

    fields = (
        ListedField("tree", 8),
        ListedField("version", 7, "right"),
        ListedField("status", 15),
        ListedField("size", 10, "right"),
        ListedField("uploaded", 16),
        ListedField("device"),
    )
    return listing(slot, fields, Reader("versions", paged(request, "ListSaveVersions", rows)))


def _version(user: UUID, one: dict[str, Any], lane: str) -> Row:
    save, version = one["savegame_id"], one["version"]
    status = one["status"] + (", pinned" if one["is_pinned"] else "")
    drawn = detail(
        label(f"v{version}", status),
        f"follows v{one['parent_version']}" if one["parent_version"] else "follows nothing",
        f"{size(one['file_size_bytes'])}, SHA-256 {one['file_hash_sha256']}",
        f"by {one['device_id'] or 'an unnamed device'}",
        f"played {played(one['playtime_seconds'])}" if one["playtime_seconds"] is not None else "",
        one["comment"],
    )
    of = (user, save, "--version", version)
    pinned = (user, save, version, *(["--unpin"] if one["is_pinned"] else []))
    commands = [
        Suggested("make it the current version", ("saves", "restore", *of)),
        Suggested(
            "let it be pruned again" if one["is_pinned"] else "keep it regardless of its age", ("saves", "pin", *pinned)
        ),
        Suggested("download and verify it", ("saves", "download", *of)),
        Suggested("its files", ("saves", "files", *of)),
    ]
    said = ", ".join(filter(None, (one["device_id"], one["comment"])))
    cells = (lane, f"v{version}", status, size(one["file_size_bytes"]), minute(one["server_uploaded_at"]), said)
    return Row(str(version), cells, drawn, commands if one["status"] != "pruned" else commands[3:])
