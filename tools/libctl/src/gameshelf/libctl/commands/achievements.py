"""``libctl achievements``: what a player has achieved, and what support gives and takes of it."""

from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.changing import ApplyOptions, carry_out, changing
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, table
from gameshelf.libctl.times import day, minute
from gameshelf.protos.library.v1 import admin_achievements_pb2 as messages


@noun("achievements")
def group() -> None:
    """Show, grant and revoke a player's achievements."""


@group.command()
@click.argument("user", type=click.UUID)
@click.argument("product", type=click.UUID)
@click.pass_obj
def show(out: Output, user: UUID, product: UUID) -> None:
    """List all achievements of a product, including hidden ones, with the player's progress."""
    asked = messages.ShowAchievementsRequest(user_id=str(user), product_id=str(product))
    found = plain(connect().call("ShowAchievements", asked))
    columns = [Column("achievement"), Column("unlocked (UTC)"), Column("progress", "right", whole=True)]
    columns += [Column("owners", "right")] if out.is_wide else []
    rows = [
        (
            _name(one),
            (minute if out.is_wide else day)(one["status"]["unlocked_at"]) or "-",
            _progress(one["status"]),
            *([_share(one["status"]["rarity_percentage"])] if out.is_wide else []),
            one["status"]["achievement_id"],
        )
        for one in found["achievements"]
    ]
    columns.append(Column("id", whole=True))
    heading = [found["title"]] if found["title"] else []
    out.result(found, *heading, table(columns, rows, empty="This product has no achievements."))


@group.command()
@click.argument("user", type=click.UUID)
@click.argument("achievement", type=click.UUID)
@changing
@click.pass_obj
def grant(out: Output, user: UUID, achievement: UUID, options: ApplyOptions) -> None:
    """Unlock an achievement, even if the player has no access to the game.

    Needs the role admin.
    """
    client = connect()
    if not out.as_json:
        _say_which(out, client, user, achievement)
    request = messages.GrantAchievementRequest(user_id=str(user), achievement_id=str(achievement))
    carry_out(out, "GrantAchievement", request, options, client)


@group.command()
@click.argument("user", type=click.UUID)
@click.argument("achievement", type=click.UUID)
@changing
@click.pass_obj
def revoke(out: Output, user: UUID, achievement: UUID, options: ApplyOptions) -> None:
    """Lock an achievement again and reset its progress.

    Needs the role admin.
    """
    client = connect()
    if not out.as_json:
        _say_which(out, client, user, achievement)
    request = messages.RevokeAchievementRequest(user_id=str(user), achievement_id=str(achievement))
    carry_out(out, "RevokeAchievement", request, options, client)


def _say_which(out: Output, client: Client, user: UUID, achievement: UUID) -> None:
    asked = messages.ShowAchievementsRequest(user_id=str(user), achievement_id=str(achievement))
    found = plain(client.call("ShowAchievements", asked))
    [one] = found["achievements"]
    out.say(f"{_name(one)}, of {found['title'] or one['status']['product_id']}.")


def _name(one: dict[str, Any]) -> str:
    named = one["name"] or one["status"]["api_name"] or one["status"]["achievement_id"]
    kinds = [
        kind
        for kind, is_it in (
            ("hidden", one["status"]["is_hidden"]),
            ("by servers only", one["server_authoritative"]),
        )
        if is_it
    ]
    return f"{named} ({', '.join(kinds)})" if kinds else named


def _progress(status: dict[str, Any]) -> str:
    return f"{status['current_progress']:,} of {status['target_progress']:,}" if status["target_progress"] else ""


def _share(percentage: float | None) -> str:
    return "" if percentage is None else f"{percentage:.1f}%"
