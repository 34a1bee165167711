"""``libctl sessions``: what somebody plays now, and the end of a session that is stuck."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from gameshelf.libctl.batches.commands import player_change
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.ids import SESSION_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Branch, Output, tree, visible
from gameshelf.libctl.shapes import answers
from gameshelf.libctl.times import minute, span
from gameshelf.libctl.watching import watch, watch_options
from gameshelf.protos.library.v1 import admin_sessions_pb2 as messages
from rich.console import RenderableType
from rich.text import Text

_MISSED = 3
"""A client sends three heartbeats within the time-out: a session is late when it has missed one of them."""


@noun("sessions")
def group() -> None:
    """List a user's running sessions; end one that is stuck."""


@group.command("list")
@click.argument("user", type=USER_ID)
@watch_options
@answers(messages.ListRunningSessionsResponse, "sessions")
@click.pass_obj
def list_(out: Output, user: UUID, seconds: float | None) -> int | None:
    """List the sessions that run, with the newest heartbeat and when they would end by themselves."""
    client, asked = connect(), messages.ListRunningSessionsRequest(user_id=str(user))

    def look() -> tuple[dict[str, Any], list[RenderableType]]:
        found = plain(client.call("ListRunningSessions", asked))
        return found, _drawn(found, user)

    if seconds:
        return watch(out, seconds, look)
    found, drawn = look()
    out.result(found, *drawn)
    if not found["sessions"]:
        doubt(out, user)
    return None


@group.command()
@click.argument("user", type=USER_ID)
@click.argument("session", type=SESSION_ID)
@player_change("user", "session")
def end(out: Output, user: UUID, session: UUID) -> ChangeCall:
    """End a session and free its seat: at its last heartbeat if it was silent, else now. Cannot be undone."""
    request = messages.EndSessionOfUserRequest(user_id=str(user), session_id=str(session))
    return ChangeCall("EndSessionOfUser", request)


def _drawn(found: dict[str, Any], user: UUID) -> list[RenderableType]:
    now, timeout = datetime.now(UTC), found["timeout_seconds"]
    branches = [session_of(one, now, timeout) for one in found["sessions"]] or [Branch("none")]
    stored = "Redis is unavailable: the heartbeats are the stored ones, which may be a minute older."
    warning = [] if found["has_newest_heartbeats"] else [Text(stored, style="yellow")]
    return [tree(f"running sessions of {user} (times of UTC)", branches), *warning]


def session_of(one: dict[str, Any], now: datetime, timeout: float) -> Branch:
    of = one["session"]
    session = of["session"]
    label = Text(visible(of["title"] or "(no title)")).append("  " + visible(session["product_id"]), "dim")
    device = f"on {session['device_id'] or 'an unnamed device'}"
    platform = f", {session['platform']}" if session["platform"] else ""
    copy = [Branch(f"plays the copy of {of['copy_owner_user_id']}")] if of["copy_owner_user_id"] else []
    return Branch(
        label,
        [
            Branch(f"session {session['session_id']}"),
            Branch(f"{device}{platform}, since {minute(session['start_time'])}"),
            *copy,
            Branch(_alive(one, now, timeout)),
        ],
    )


def _alive(one: dict[str, Any], now: datetime, timeout: float) -> Text:
    """When the last heartbeat came, and what follows from that."""
    silent = max(int((now - one["last_heartbeat_at"]).total_seconds()), 0)
    late = silent > timeout / _MISSED
    text = f"last heartbeat {span(silent)} ago"
    ends = f"; ends by itself {one['times_out_at']:%Y-%m-%d %H:%M:%S} if none comes" if late else ""
    return Text(text + ends, style="yellow" if late else "green")
