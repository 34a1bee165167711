"""``libctl achievements``: what a player has achieved, and what support gives and takes of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.charts import Bar, below, share_of
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import PRODUCT_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Column, Output, lines, table, tree, visible
from gameshelf.libctl.refused_reports import rule_in_words
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import day, minute
from gameshelf.protos.library.v1 import admin_achievements_pb2 as messages
from rich.text import Text

_BAR, _SHORT_BAR = 24, 12


@noun("achievements")
def group() -> None:
    """Show, explain, grant and revoke a player's achievements."""


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@answers(messages.ShowAchievementsResponse, "achievements")
@click.pass_obj
def show(out: Output, user: UUID, product: UUID) -> None:
    """List all achievements of a product, including hidden ones, with the player's progress."""
    asked = messages.ShowAchievementsRequest(user_id=str(user), product_id=str(product))
    found = plain(connect().call("ShowAchievements", asked))
    heading = [found["title"]] if found["title"] else []
    out.result(found, *heading, *_sum(found["achievements"]), _achievements(out, found["achievements"]))
    if not any(_is_begun(one) for one in found["achievements"]):
        doubt(out, user, None if found["achievements"] else product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("product", type=PRODUCT_ID)
@click.argument("achievement")
@answers(messages.ExplainAchievementResponse)
@click.pass_obj
def explain(out: Output, user: UUID, product: UUID, achievement: str) -> None:
    """Say why ACHIEVEMENT, an id or a name, is not unlocked, and which reports of it were refused."""
    asked = messages.ExplainAchievementRequest(user_id=str(user), product_id=str(product), achievement=achievement)
    found = plain(connect().call("ExplainAchievement", asked))
    root = Text(visible(found["title"] or "(no title)")).append(f"  {product}", "dim")
    out.result(found, tree(root, [_definition(found, achievement), *_access(found), *_refused(found)]))
    one = found["achievement"]
    if not (found["refused"] or found["refused_of_others"] or (one and _is_begun(one))):
        doubt(out, user, None if one else product)


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("achievement", type=click.UUID)
@player_change("user")
def grant(out: Output, user: UUID, achievement: UUID) -> ChangeCall:
    """Unlock an achievement, even if the player has no access to the game.

    Needs the role admin.
    """
    request = messages.GrantAchievementRequest(user_id=str(user), achievement_id=str(achievement))
    return ChangeCall("GrantAchievement", request, lambda client: _say_which(out, client, user, achievement))


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("achievement", type=click.UUID)
@player_change("user")
def revoke(out: Output, user: UUID, achievement: UUID) -> ChangeCall:
    """Lock an achievement again and reset its progress.

    Needs the role admin.
    """
    request = messages.RevokeAchievementRequest(user_id=str(user), achievement_id=str(achievement))
    return ChangeCall("RevokeAchievement", request, lambda client: _say_which(out, client, user, achievement))


def _is_begun(one: dict[str, Any]) -> bool:
    return bool(one["status"]["is_unlocked"] or one["status"]["current_progress"])


def _sum(achievements: list[dict[str, Any]]) -> list[Any]:
    """Draws how many are unlocked."""
    total, unlocked = len(achievements), sum(1 for one in achievements if one["status"]["is_unlocked"])
    if not total:
        return []
    share = share_of(unlocked, total)
    said = f"{unlocked:,} of {total:,} unlocked  "
    return [Bar(share, _BAR, "green", has_track=True, before=said, after=f" {share:4.0%}")]


def _achievements(out: Output, achievements: list[dict[str, Any]]) -> Any:
    """The bar of a progress, and an id, are beside the value, or below it where there is no room."""
    has_progress = any(one["status"]["target_progress"] for one in achievements)
    columns = [Column("achievement", least=0 if out.is_wide else 36), Column("unlocked (UTC)")]
    columns += [Column("progress", "right", whole=True)] if has_progress else []
    columns += [Column("", whole=True)] if has_progress and out.is_wide else []
    columns += [Column("owners", "right"), Column("id", whole=True)] if out.is_wide else []
    rows = [(_wide if out.is_wide else _narrow)(one, has_progress=has_progress) for one in achievements]
    return table(columns, rows, empty="This product has no achievements.")


def _wide(one: dict[str, Any], *, has_progress: bool) -> Sequence[object]:
    status = one["status"]
    progress = (progress_of(status), bar_of(status) or "") if has_progress else ()
    share = "" if status["rarity_percentage"] is None else f"{status['rarity_percentage']:.1f}%"
    return name_of(one), minute(status["unlocked_at"]) or "-", *progress, share, status["achievement_id"]


def _narrow(one: dict[str, Any], *, has_progress: bool) -> Sequence[object]:
    status = one["status"]
    bar = bar_of(status)
    progress = (below(progress_of(status), bar) if bar else "",) if has_progress else ()
    return lines(name_of(one), status["achievement_id"]), day(status["unlocked_at"]) or "-", *progress


def _say_which(out: Output, client: Client, user: UUID, achievement: UUID) -> None:
    asked = messages.ShowAchievementsRequest(user_id=str(user), achievement_id=str(achievement))
    found = plain(client.call("ShowAchievements", asked))
    [one] = found["achievements"]
    out.say(f"{name_of(one)}, of {found['title'] or one['status']['product_id']}.")


def name_of(one: dict[str, Any]) -> str:
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


def _definition(found: dict[str, Any], achievement: str) -> Branch:
    one = found["achievement"]
    if one is None:
        missing = Text(visible(f"{achievement}: the Catalog has announced no such achievement of this product"))
        missing.stylize("bold red")
        return Branch(missing, [Branch("libctl achievements show USER PRODUCT lists those that there are")])
    status = one["status"]
    facts = [Branch(f"id {status['achievement_id']}")]
    if status["api_name"]:
        facts.append(Branch(f"the game reports it as {status['api_name']}"))
    if one["server_authoritative"]:
        facts.append(Branch("only servers of the game may unlock it"))
    if status["target_progress"]:
        facts.append(Branch(f"progress {progress_of(status)}"))
    state = f"unlocked {minute(status['unlocked_at'])} UTC" if status["is_unlocked"] else "not unlocked"
    label = Text(visible(name_of(one))).append(f"  {state}", "bold green" if status["is_unlocked"] else "bold red")
    return Branch(label, facts)


def _access(found: dict[str, Any]) -> list[Branch]:
    if not found["access_refusal"]:
        return [Branch(Text("the player may play the product", style="green"))]
    why = Text(f"the player may not play the product now: {rule_in_words(found['access_refusal'])}", style="red")
    return [Branch(why, [Branch("libctl access explain USER PRODUCT shows more")])]


def _refused(found: dict[str, Any]) -> list[Branch]:
    parts = []
    if found["refused"]:
        said = "refused reports of the last 30 days (times of UTC)"
        parts.append(Branch(said, [_report(one) for one in found["refused"]]))
    if found["refused_of_others"]:
        said = "refused reports of what no achievement is called (times of UTC): does the game mean this one?"
        parts.append(Branch(said, [_report(one, with_name=True) for one in found["refused_of_others"]]))
    if found["may_lack_older"]:
        parts.append(Branch("only the newest kinds of refused reports are kept: older ones of this one may be missing"))
    said = "no report was refused in the last 30 days: if it is not unlocked, the game has not reported it"
    return parts or [Branch(said)]


def _report(one: dict[str, Any], *, with_name: bool = False) -> Branch:
    name = visible(f"{one['reported']}: ") if with_name else ""
    last = f"{minute(one['last_at'])}  {name}{rule_in_words(one['rule'])}"
    how = f"by the {one['source']}{', by its name' if one['by_name'] else ''}"
    often = f", {one['attempts']:,} times since {minute(one['first_at'])}" if one["attempts"] > 1 else ""
    return Branch(last, [Branch(how + often)])


def progress_of(status: dict[str, Any]) -> str:
    return f"{status['current_progress']:,} of {status['target_progress']:,}" if status["target_progress"] else ""


def bar_of(status: dict[str, Any]) -> Bar | None:
    """Draws the progress towards a target; None if the achievement has none."""
    if not status["target_progress"]:
        return None
    share = share_of(status["current_progress"], status["target_progress"])
    return Bar(share, _SHORT_BAR, "green" if status["is_unlocked"] else "cyan", has_track=True)
