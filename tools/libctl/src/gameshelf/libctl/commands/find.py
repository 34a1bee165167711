"""``libctl find``: what something is, and whose, with the commands that show more of it."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
from gameshelf.libctl.client import connect
from gameshelf.libctl.errors import NothingFound
from gameshelf.libctl.ids import is_whole
from gameshelf.libctl.main import Verb
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Copied, Output, visible
from gameshelf.libctl.shapes import STRING, Shape, answers, list_of
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_finding_pb2 as messages
from rich.text import Text

_CALLED = {"audit_entry": "audit entry", "dead_letter": "dead letter", "support": "grant by support"}
# By the kind of what was found: the commands that show it, with its fields in braces.
_NEXT = {
    "user": ("user show {id}", "library list {id}", "audit list --user {id}"),
    "product": ("access explain USER {id}", "policy show {id}"),
    "order": ("orders show {id}",),
    "key": ("library list {user_id}",),
    "gift": ("library list {user_id}",),
    "claim": ("library list {user_id}",),
    "support": ("library list {user_id}", "audit list --user {user_id}"),
    "save": ("saves versions {user_id} {id}",),
    "save in_trash": ("saves restore {user_id} {id}", "saves list {user_id} --trash"),
    "upload": ("uploads list {user_id}", "saves versions {user_id} {parent_id}"),
    "conflict": ("conflicts show {user_id} {id}",),
    "session": ("playtime show {user_id} --product {product_id}",),
    "session running": ("sessions list {user_id}", "sessions end {user_id} {id}"),
    "link": ("family show {user_id} {id}",),
    "audit_entry": ("audit show {id}",),
    "dead_letter": ("events dlq list --id {id}",),
}
_TRACE_ID = re.compile("(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")
"""A trace id, as an error of the API has it, or a whole ``traceparent``."""
_SHORT_ID = re.compile("[0-9a-f-]{1,8}", re.IGNORECASE)


_OBJECT = Shape(messages.FoundObject, fields={"next": list_of(STRING)})


@click.command("find", cls=Verb)
@click.argument("what", nargs=-1, required=True)
@answers(messages.FindResponse, objects=list_of(_OBJECT))
@click.pass_obj
def group(out: Output, what: tuple[str, ...]) -> None:
    """Find something and say what it is and whose, with the next commands to type.

    WHAT is an id or its beginning of at least 8 characters: of a user, product, order, key, gift, save, upload,
    conflict, session, family link or dead letter. Or the number of an audit entry, or words of a title in Russian or
    English; beginnings of the words suffice. Or the name or e-mail address of a user, where the service has an
    Account service to ask.
    """
    sought = " ".join(what)
    found = plain(connect().call("Find", messages.FindRequest(sought=sought)))
    for one in found["objects"]:
        one["next"] = list(_next(one))
    if not found["objects"]:
        raise NothingFound(f"nothing was found for {sought}{_unasked(sought, found)}", _hint(sought, found))
    drawn = [part for one in found["objects"] for part in _drawn(one)]
    out.result(found, *drawn)
    if found["accounts"] == "unavailable":
        out.warn("Names and e-mail addresses were not looked up: the Account service did not answer.")
    if found["kinds_with_more"]:
        kinds = ", ".join(_called(kind) for kind in found["kinds_with_more"])
        out.warn(f"There is more of a kind ({kinds}): type more of what you look for.")


def _drawn(one: dict[str, Any]) -> Iterator[Text | Copied]:
    """A line that says what it is, some that say more, and the commands."""
    yield Text(f"{_called(one['kind'])} ", style="bold").append(visible(_named(one)))
    for line in _facts(one):
        yield Text(f"  {visible(line)}", overflow="fold")
    for command in one["next"]:
        yield Copied(f"    {command}")


def _named(one: dict[str, Any]) -> str:
    return f"{one['id']}  {one['title'] or '(no title)'}" if one["kind"] == "product" else str(one["id"])


def _facts(one: dict[str, Any]) -> Iterator[str]:
    """Whose it is, and what is known of it."""
    if one["user_id"] and one["kind"] != "user":
        shared = f", shared with {one['other_user_id']}" if one["other_user_id"] else ""
        yield f"of user {one['user_id']}{shared}"
    if one["product_id"] and one["kind"] != "product":
        yield f"{one['title'] or '(no title)'}  {one['product_id']}"
    products = f"{one['products']} product{'s' if one['products'] > 1 else ''}" if one["products"] else ""
    since = f"{minute(one['created_at'])} UTC" if one["created_at"] else ""
    said = ", ".join(filter(None, (one["name"], one["state"].replace("_", " "), products, since)))
    if said:
        yield said


def _next(one: dict[str, Any]) -> Iterator[str]:
    commands = _NEXT.get(f"{one['kind']} {one['state']}") or _NEXT.get(one["kind"], ())
    for command in commands:
        yield "libctl " + command.format(**{name: shlex.quote(str(value)) for name, value in one.items()})


def _called(kind: str) -> str:
    return _CALLED.get(kind, kind)


_UNASKED = {
    "not_configured": "names and e-mail addresses were not looked up: ACCOUNT_SERVICE_GRPC_ADDR is not set",
    "unavailable": "names and e-mail addresses were not looked up: the Account service did not answer",
    "not_asked": "it was taken for an id or a number, so names were not looked up",
}


def _unasked(sought: str, found: dict[str, Any]) -> str:
    """Says that names were not looked up, and why; nothing of what can be no name."""
    reason = "" if is_whole(sought) else _UNASKED.get(found["accounts"])
    return f"; {reason}" if reason else ""


def _of_trace(trace_id: str) -> str:
    """Where a request is found by its trace: the service stores nothing by it."""
    return (
        f"if it is a trace id, the log of all instances: jq 'select(.trace_id == \"{trace_id}\")'. It has the requests "
        "that failed because of the service, with route, user and error; the others are in the traces only, one in ten "
        "of them. With the user and the time: libctl user timeline USER --since TIME"
    )


def _hint(sought: str, found: dict[str, Any]) -> str:
    """What to try where nothing was found."""
    if "@" in sought and found["accounts"] == "not_configured":
        return "the user's id: this service stores no e-mail addresses"
    if found["accounts"] == "unavailable":
        return "again later, or the user's id"
    if found["accounts"] == "not_asked" and not is_whole(sought) and not _TRACE_ID.fullmatch(sought.lower()):
        return "if it is the name of a user, the user's id or e-mail address; else the whole id or order"
    if trace := _TRACE_ID.fullmatch(sought.lower()):
        return _of_trace(trace[1])
    if is_whole(sought):
        return f"if it is the id of a user: libctl user show {sought}, which also knows erased accounts"
    if _SHORT_ID.fullmatch(sought):
        return "at least 8 characters of an id, or a word in a title"
    return "the whole id or order, or the beginning of a word in the title of today; libctl find --help"
