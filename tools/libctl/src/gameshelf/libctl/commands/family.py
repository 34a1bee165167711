"""``libctl family``: who shares with whom, and who plays whose copy."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import LINK_ID, PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Column, Output, facts, table, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute
from gameshelf.protos.library.v1 import admin_family_pb2 as messages
from rich.text import Text

_MOST_PRODUCTS = 50
_STYLES = {"active": "green", "pending_approval": "yellow"}


@noun("family")
def group() -> None:
    """Family sharing: links between users, and seats in use."""


@group.command("list")
@click.argument("user", type=USER_ID)
@answers(messages.ListFamilyLinksResponse)
@click.pass_obj
def list_(out: Output, user: UUID) -> None:
    """List a user's family links as owner and as member, including ended ones."""
    found = plain(connect().call("ListFamilyLinks", messages.ListFamilyLinksRequest(user_id=str(user))))
    ways = [
        ("shares with", found["as_owner"], "shared_with_user_id", found["total_as_owner"]),
        ("is shared with by", found["as_member"], "owner_user_id", found["total_as_member"]),
    ]
    branches = [
        Branch(f"{way}: {total or 'nobody'}", [link_of(one, other) for one in links])
        for way, links, other, total in ways
    ]
    out.result(found, tree(user, branches))
    if any(total > len(links) for _, links, _, total in ways):
        out.say("Only the newest 100 in each direction are shown.")
    if not any(total for *_, total in ways):
        doubt(out, user)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("link", type=LINK_ID)
@answers(messages.ShowFamilyLinkResponse)
@click.pass_obj
def show(out: Output, user: UUID, link: UUID) -> None:
    """Show a family link: its scope, its times, and the seats in use."""
    found = plain(_show(connect(), user, link))
    of = found["link"]
    shown = {
        "link": of["link_id"],
        "owner": of["owner_user_id"],
        "member": of["shared_with_user_id"],
        "status": status_of(of),
        "shares": scope_of(of),
        "asked for (UTC)": minute(of["shared_at"]),
        "active since": minute(of["active_since"]) or "not yet accepted",
        "ends": minute(of["expires_at"]) or "never",
        "last used": minute(of["last_access_at"]) or "never",
        "last changed": minute(of["updated_at"]),
    }
    parts = [facts(shown)]
    if of["product_ids"]:
        titles = {one["product_id"]: one["title"] for one in found["products"]}
        rows = [(titles.get(one, ""), one) for one in of["product_ids"][:_MOST_PRODUCTS]]
        parts.append(table([Column("named product"), Column("id", whole=True)], rows))
    out.result(found, *parts, tree("seats in use", _seats(found["seats"], None)))
    if len(of["product_ids"]) > _MOST_PRODUCTS:
        out.say(f"Only {_MOST_PRODUCTS} of {len(of['product_ids'])} products are shown; --json prints all.")


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("link", type=LINK_ID)
@player_change("user", "link")
def revoke(out: Output, user: UUID, link: UUID) -> ChangeCall:
    """End a link and the sessions that use it. Only an admin can reopen it.

    Needs the role admin.
    """
    request = messages.RevokeFamilyLinkRequest(user_id=str(user), link_id=str(link))
    return ChangeCall("RevokeFamilyLink", request, lambda client: _say_link(out, client, user, link))


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("link", type=LINK_ID)
@player_change("user", "link")
def reopen(out: Output, user: UUID, link: UUID) -> ChangeCall:
    """Invite the member again to a link that support ended; scope and future expiry stay.

    Needs the role admin.
    """
    request = messages.ReopenFamilyLinkRequest(user_id=str(user), link_id=str(link))
    return ChangeCall("ReopenFamilyLink", request, lambda client: _say_link(out, client, user, link))


@group.command()
@click.argument("user", type=USER_ID)
@answers(messages.ListFamilySeatsResponse, "seats")
@click.pass_obj
def seats(out: Output, user: UUID) -> None:
    """List seats in use: others on this user's copies, and this user on others' copies."""
    found = plain(connect().call("ListFamilySeats", messages.ListFamilySeatsRequest(user_id=str(user))))
    out.result(
        found, tree(f"seats in use: copies of {user}, and copies that they play", _seats(found["seats"], str(user)))
    )
    if not found["seats"]:
        doubt(out, user)


@group.command("release-seat")
@click.argument("owner", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@player_change("owner")
def release_seat(out: Output, owner: UUID, product: UUID) -> ChangeCall:
    """End the session on an owner's copy and free its seat, even if the session no longer exists."""
    request = messages.ReleaseFamilySeatRequest(owner_user_id=str(owner), product_id=str(product))
    return ChangeCall("ReleaseFamilySeat", request, lambda client: _say_seat(out, client, owner, product))


def _show(client: Client, user: UUID, link: UUID) -> Any:
    return client.call("ShowFamilyLink", messages.ShowFamilyLinkRequest(user_id=str(user), link_id=str(link)))


def _say_link(out: Output, client: Client, user: UUID, link: UUID) -> None:
    """Says whose link a change is about, and what it would end."""
    found = plain(_show(client, user, link))
    of = found["link"]
    out.say(f"{of['owner_user_id']} shares {scope_of(of)} with {of['shared_with_user_id']}.")
    for one in found["seats"]:
        out.say(f"In use: {one['title'] or one['product_id']}, since {minute(one['since'])} UTC.")


def _say_seat(out: Output, client: Client, owner: UUID, product: UUID) -> None:
    """Says who sits on a copy."""
    found = plain(client.call("ListFamilySeats", messages.ListFamilySeatsRequest(user_id=str(owner))))
    for one in found["seats"]:
        if (one["owner_user_id"], one["product_id"]) == (str(owner), str(product)):
            out.say(f"{one['title'] or one['product_id']}: {one['held_by_user_id']} holds its seat {_since(one)}.")


def link_of(one: dict[str, Any], other: str) -> Branch:
    return Branch(
        Text(visible(one[other])).append("  ").append_text(status_of(one)), [Branch(line) for line in _lines(one)]
    )


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"link {one['link_id']}"
    ends = f", ends {minute(one['expires_at'])}" if one["expires_at"] else ""
    yield f"{scope_of(one)}{ends}"
    if one["active_since"]:
        used = f", last used {minute(one['last_access_at'])}" if one["last_access_at"] else ", never used"
        yield f"accepted {minute(one['active_since'])}{used}"
    else:
        yield f"asked for {minute(one['shared_at'])}"
    if one["status"] not in _STYLES:
        yield f"ended {minute(one['updated_at'])}"


def status_of(one: dict[str, Any]) -> Text:
    return Text(visible(one["status"].replace("_", " ")), style=_STYLES.get(one["status"], "red"))


def scope_of(one: dict[str, Any]) -> str:
    number = len(one["product_ids"])
    named = f"{number} game{'' if number == 1 else 's'}"
    return {"all": "all games", "only": f"only {named}"}.get(one["mode"], f"all but {named}")


def _seats(seats: list[dict[str, Any]], user: str | None) -> list[Branch]:
    return [seat_of(one, user) for one in seats] or [Branch("none")]


def seat_of(one: dict[str, Any], user: str | None) -> Branch:
    label = Text(visible(one["title"] or "(no title)")).append("  " + visible(one["product_id"]), "dim")
    owner = "the user's own copy" if one["owner_user_id"] == user else f"copy of {one['owner_user_id']}"
    holder = "the user" if one["held_by_user_id"] == user else one["held_by_user_id"]
    lines = [owner, f"played by {holder}", _since(one), f"session {one['session_id']}"]
    return Branch(label, [Branch(line) for line in lines])


def _since(one: dict[str, Any]) -> str:
    """For how long a copy is played, and whether it really is."""
    dead = "" if one["session_runs"] else ", the session no longer runs"
    stop = f", must stop by {minute(one['lost_at'])}" if one["lost_at"] else ""
    return f"since {minute(one['since'])} UTC{dead}{stop}"
