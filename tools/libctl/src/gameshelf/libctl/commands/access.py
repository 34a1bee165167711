"""``libctl access explain``: why somebody may play a product, or may not."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.client import connect
from gameshelf.libctl.commands.library import said_of
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Output, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_library_pb2 as messages
from rich.text import Text

_WHY = {
    "owned": "it is owned",
    "shared": "a family link shares it",
    "claimable": "it is free to play and was not claimed: POST /items, or the store, claims it",
    "refunded": "it was owned, but every grant has ended",
    "not_owned": "it was never owned, and no family link shares it",
    "out_of_scope": "the link doesn't share this game",
    "sharing_forbidden": "the Catalog forbids sharing it",
    "link_expired": "the link has expired",
    "link_ended": "the link has ended",
    "link_pending": "the invitation has not been accepted yet",
    "owner_does_not_own": "the owner doesn't own it",
    "never_accepted": "the invitation was declined",
}
_START = {
    "own_copy": "uses the user's own copy",
    "shared_copy": "uses the shared copy",
    "seat_busy": "is refused: the seat is busy",
    "refused": "is refused",
}


@noun("access")
def group() -> None:
    """Explain why a user may or may not play a product."""


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@answers(messages.ExplainAccessResponse)
@click.pass_obj
def explain(out: Output, user: UUID, product: UUID) -> None:
    """Show every reason: grants, family links, seats in use, and what happens if the user starts the game now."""
    asked = messages.ExplainAccessRequest(user_id=str(user), product_id=str(product))
    found = plain(connect().call("ExplainAccess", asked))
    root = Text(visible(found["title"] or "(no title)")).append(f"  {product}", "dim")
    links = _links(found, str(user))
    out.result(found, tree(root, [_answer(found), _start(found), _catalog(found), _own(found), links]))
    if not (found["has_access"] or found["grants"] or found["links"]):
        doubt(out, user, product)


def _answer(found: dict[str, Any]) -> Branch:
    may = Text("may play", style="bold green") if found["has_access"] else Text("may not play", style="bold red")
    since = f", since {minute(found['access_since'])} UTC" if found["access_since"] else ""
    return Branch(may.append(f": {_why(found['reason'])}{since}", "not bold default"))


def _start(found: dict[str, Any]) -> Branch:
    return Branch(f"starting now {_START.get(found['start'], found['start'])}")


def _catalog(found: dict[str, Any]) -> Branch:
    if not found["is_known"]:
        return Branch("unknown to the Catalog")
    kind = found["product_type"] or "type unknown"
    free = {True: "free to play", False: "not free to play", None: "free to play: unknown"}[found["is_free_to_play"]]
    shares = "forbidden" if found["family_sharing_allowed"] is False else "allowed"
    return Branch(f"the Catalog: {kind}, {free}, sharing {shares}")


def _own(found: dict[str, Any]) -> Branch:
    hidden = ", hidden in the library" if found["is_hidden"] else ""
    grants = [said_of(one) for one in found["grants"]]
    seat = [_seat("the copy is taken", found["own_seat"])] if found["own_seat"] else []
    return Branch(f"grants: {len(found['grants']) or 'none'}{hidden}", [*grants, *seat])


def _links(found: dict[str, Any], user: str) -> Branch:
    return Branch(f"family links: {len(found['links']) or 'none'}", [_link(one, found, user) for one in found["links"]])


def _link(one: dict[str, Any], found: dict[str, Any], user: str) -> Branch:
    label = Text(visible(f"owner {one['owner_user_id']}: {one['verdict'].replace('_', ' ')}"))
    marks = {found["starting_link_id"]: "  ← would be used", found["deciding_link_id"]: "  ← decides"}
    return Branch(label.append(marks.get(one["link_id"], ""), "bold"), list(_about(one, user)))


def _about(one: dict[str, Any], user: str) -> Iterator[Branch]:
    yield Branch(f"link {one['link_id']}")
    times = {"active": one["active_since"], "link_expired": one["expires_at"]}
    since = times.get(one["status"]) or times.get(one["verdict"]) or one["updated_at"]
    yield Branch(f"{one['status'].replace('_', ' ')} since {minute(since)}{_until(one)}")
    yield Branch(
        f"shares {_scope(one)}: {'this game is included' if one['is_in_scope'] else 'this game is not included'}"
    )
    owns = f"the owner owns it since {minute(one['owned_since'])}" if one["owner_owns"] else "the owner doesn't own it"
    yield Branch(owns)
    if one["owner_plays_since"]:
        yield Branch(f"the owner plays since {minute(one['owner_plays_since'])}")
    if one["seat"]:
        yield _seat("the copy is taken", one["seat"], user)
    elif one["owner_owns"] and not one["owner_plays_since"]:
        yield Branch("the copy is free")
    if one["other_seat"]:
        seat = one["other_seat"]
        yield _seat(f"the user holds the seat of {seat['title'] or seat['product_id']} of this owner", seat, user)


def _seat(what: str, seat: dict[str, Any], user: str = "") -> Branch:
    """Returns the holder of a copy, one value per line, so that ids can be copied."""
    stop = f", must stop by {minute(seat['lost_at'])}" if seat["lost_at"] else ""
    dead = ", which no longer runs" if seat["session_runs"] is False else ""
    by = "by this user" if seat["held_by_user_id"] == user else f"by {seat['held_by_user_id']}"
    session = f"session {seat['session_id']}{dead}"
    return Branch(f"{what}, since {minute(seat['since'])}{stop}", [Branch(by), Branch(session)])


def _until(one: dict[str, Any]) -> str:
    return f", expires {minute(one['expires_at'])}" if one["expires_at"] else ""


def _scope(one: dict[str, Any]) -> str:
    return {"all": "all games", "only": "only some games"}.get(one["mode"], "all but some games")


def _why(reason: str) -> str:
    return _WHY.get(reason, visible(reason))
