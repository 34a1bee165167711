"""The sessions of a player: those that run, then the others, the newest first."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.commands.playtime import end_of
from gameshelf.libctl.commands.sessions import session_of
from gameshelf.libctl.messages import plain
from gameshelf.libctl.times import minute, span
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
)
from gameshelf.protos.library.v1 import admin_playtime_pb2 as played
from gameshelf.protos.library.v1 import admin_sessions_pb2 as messages
from rich.text import Text


def listing_of(user: UUID) -> Listing:
    """Lists the sessions."""

    def running(client: Client, _: object) -> ListedPart:
        found = plain(client.call("ListRunningSessions", messages.ListRunningSessionsRequest(user_id=str(user))))
        now, timeout = datetime.now(UTC), found["timeout_seconds"]
        return ListedPart([_running(user, one, now, timeout) for one in found["sessions"]])

    def ended(client: Client, cursor: str | None) -> ListedPart:
        request = played.ShowPlaytimeRequest(user_id=str(user), page=1, limit=LIMIT, cursor=cursor or "")
        found = plain(client.call("ShowPlaytime", request))
        rows = [_ended(user, one) for one in found["sessions"] if one["session"]["end_time"]]
        return ListedPart(rows, found["next_cursor"] or None)

    fields = (
        ListedField("start (UTC)", 16),
        ListedField("played", 14, "right"),
        ListedField("product"),
        ListedField("how it ended", 22),
    )
    return listing("Sessions", fields, Reader("running", running), Reader("ended", ended), empty="No sessions.")


def _running(user: UUID, one: dict[str, Any], now: datetime, timeout: float) -> Row:
    of = one["session"]
    session = of["session"]
    cells = (minute(session["start_time"]), "", of["title"] or session["product_id"], Text("runs", style="green"))
    commands = [
        Suggested("end it, if its client no longer does", ("sessions", "end", user, session["session_id"])),
        Suggested("heartbeats of all that run", ("sessions", "list", user)),
    ]
    return Row(session["session_id"], cells, detail(session_of(one, now, timeout)), commands)


def _ended(user: UUID, one: dict[str, Any]) -> Row:
    session = one["session"]
    product = session["product_id"]
    drawn = detail(
        label(one["title"], product),
        f"session {session['session_id']}",
        f"{minute(session['start_time'])} to {minute(session['end_time'])} UTC, {span(session['duration_seconds'])}",
        f"on {session['device_id'] or 'an unnamed device'}; {end_of(one, with_time=True)}",
    )
    on_day = f"{session['start_time']:%Y-%m-%d}"
    commands = [
        Suggested("all sessions of that day", ("playtime", "show", user, "--day", on_day)),
        Suggested("take time off the total", ("playtime", "correct", user, product, "--take", "TIME")),
    ]
    cells = (
        minute(session["start_time"]),
        span(session["duration_seconds"]),
        one["title"] or product,
        end_of(one, with_time=False),
    )
    return Row(session["session_id"], cells, drawn, commands)
