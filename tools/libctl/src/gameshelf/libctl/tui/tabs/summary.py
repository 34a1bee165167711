"""The summary of a player, one value per line, each with the commands that say more of it."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.commands.user import ERASURE, summary_of
from gameshelf.libctl.messages import plain
from gameshelf.libctl.tui.listing import ListedField, ListedPart, Listing, Reader, Row, Suggested, listing
from gameshelf.protos.library.v1 import admin_users_pb2 as messages


def listing_of(user: UUID) -> Listing:
    """Lists the summary. The audit records each time that it is read, as for ``user show``."""

    def read(client: Client, _: object) -> ListedPart:
        found = plain(client.call("ShowUser", messages.ShowUserRequest(user_id=str(user))))
        commands = _commands(user)
        return ListedPart(
            [Row(name, (name, value), "", commands.get(name, ())) for name, value in _values(found).items()]
        )

    return listing("Summary", (ListedField("what", 20), ListedField("value")), Reader("summary", read))


def _values(found: dict[str, Any]) -> dict[str, object]:
    if found["erasure"]:
        return {"user": found["user_id"], "account": ERASURE[found["erasure"]], "erased at": found["erased_at"]}
    return summary_of(found)


def _commands(user: UUID) -> dict[str, list[Suggested]]:
    """The commands that belong to a value."""
    return {
        "user": [
            Suggested("all that happened to the player, the newest first", ("user", "timeline", user)),
            Suggested("what staff did to this player, and why", ("audit", "list", "--user", user)),
            Suggested("all data of the player as an archive", ("user", "export", user, "--to", f"{user}.zip")),
            Suggested("end the account, which can't be undone", ("user", "erase", user)),
        ],
        "playtime anomalies": [Suggested("implausible playtime", ("playtime", "anomalies", "--user", user))],
        "played": [
            Suggested("compute all totals again, and show differences", ("playtime", "recompute", user)),
        ],
        "storage for saves": [
            Suggested("what takes the storage, by game", ("quota", "show", user)),
            Suggested("count again what the saves take", ("quota", "recalculate", user)),
            Suggested("set a limit of its own", ("quota", "set", user, "SIZE")),
            Suggested("return to the default limit", ("quota", "reset", user)),
        ],
        "saves": [Suggested("uploads that are not committed", ("uploads", "list", user))],
        "dead letters": [
            Suggested("events that could not be applied", ("events", "dlq", "list", "--user", user)),
            Suggested("apply them again", ("events", "dlq", "replay", "--user", user)),
        ],
    }
