"""Everything that happened to a player, the newest first, all of it or of one kind."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.happenings import KINDS, sentence
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import visible
from gameshelf.libctl.refused_reports import reported_name
from gameshelf.libctl.times import minute
from gameshelf.libctl.tui.listing import (
    LIMIT,
    ListedField,
    ListedPart,
    Listing,
    Narrowing,
    Reader,
    Row,
    Suggested,
    called,
    detail,
    listing,
)
from gameshelf.protos.library.v1 import admin_users_pb2 as messages
from rich.text import Text

_STYLES = {
    "support": "cyan",
    "achievement_refused": "yellow",
    "save_conflict": "yellow",
    "product_ended": "yellow",
    "dead_letter": "red",
}
_FIELDS = (
    ListedField("time (UTC)", 16),
    ListedField("what happened", most=140),
    ListedField("product", 36, from_columns=120),
)


def listing_of(user: UUID, kind: str = "") -> Listing:
    """Lists what happened. ``kind`` is one of ``KINDS``; "" means all of them."""

    def read(client: Client, cursor: str | None) -> ListedPart:
        kinds = [kind] if kind else []
        request = messages.ListTimelineRequest(user_id=str(user), kinds=kinds, limit=LIMIT, cursor=cursor or "")
        found = plain(client.call("ListTimeline", request))
        return ListedPart([_row(user, one) for one in found["entries"]], found["next_cursor"] or None)

    narrowing = Narrowing(KINDS, kind, lambda chosen: listing_of(user, chosen))
    empty = f"Nothing of the kind {called(kind)}." if kind else "Nothing happened."
    return listing(called(kind) or "Timeline", _FIELDS, Reader("timeline", read), empty=empty, narrowing=narrowing)


def _row(user: UUID, one: dict[str, Any]) -> Row:
    kind, facts, product = one["kind"], one["facts"], one["product_id"]
    said = Text(visible(sentence(kind, facts)), _STYLES.get(kind, ""))
    values = (f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if value not in (None, ""))
    about = f"{one['title'] or '(no title)'}  {product}" if product else ""
    drawn = detail(Text(visible(f"{one['at']:%Y-%m-%d %H:%M:%S} UTC  {called(kind)}")), about, *values)
    key = f"{one['at']} {kind} {product} {facts}"
    return Row(key, (minute(one["at"]), said, one["title"] or product), drawn, _commands(user, kind, product, facts))


def _commands(user: UUID, kind: str, product: str, facts: Mapping[str, Any]) -> list[Suggested]:
    """The commands that say more of what happened."""
    more = _MORE.get(kind)
    found = more(user, product, facts) if more else None
    of_kind = Suggested("all of this kind", ("user", "timeline", user, "--kind", kind))
    return [*([found] if found else []), *([of_kind] if kind in KINDS else [])]


def _access(user: UUID, product: str, _: Mapping[str, Any]) -> Suggested:
    return Suggested("why the player may play it, or may not", ("access", "explain", user, product))


def _link(user: UUID, _: str, facts: Mapping[str, Any]) -> Suggested:
    return Suggested("the link, its seats and its products", ("family", "show", user, facts["link_id"]))


def _played(user: UUID, product: str, _: Mapping[str, Any]) -> Suggested:
    return Suggested("its sessions and corrections", ("playtime", "show", user, "--product", product))


def _achievement(user: UUID, product: str, facts: Mapping[str, Any]) -> Suggested | None:
    """None for a report of an id that no product has."""
    if not product:
        return None
    which = reported_name(facts["subject"]) if "subject" in facts else facts["achievement_id"]
    return Suggested("which reports of it were refused", ("achievements", "explain", user, product, which))


def _wish(user: UUID, product: str, _: Mapping[str, Any]) -> Suggested:
    return Suggested("why the player was notified, or was not", ("wishlist", "explain", user, product))


def _settings(user: UUID, product: str, _: Mapping[str, Any]) -> Suggested:
    return Suggested("what they were, up to 30 days ago", ("settings", "history", user, product))


def _save(user: UUID, _: str, facts: Mapping[str, Any]) -> Suggested:
    return Suggested("the versions of the save", ("saves", "versions", user, facts["savegame_id"]))


_MORE: Mapping[str, Callable[[UUID, str, Mapping[str, Any]], Suggested | None]] = {
    "product_granted": _access,
    "product_ended": _access,
    "family_as_owner": _link,
    "family_as_member": _link,
    "session": _played,
    "playtime_corrected": _played,
    "achievement_unlocked": _achievement,
    "achievement_refused": _achievement,
    "wish_added": _wish,
    "price_notified": _wish,
    "settings_changed": _settings,
    "settings_ended": _settings,
    "save": _save,
    "save_deleted": lambda user, _, __: Suggested("the trash", ("saves", "list", user, "--trash")),
    "save_conflict": _save,
    "support": lambda _, __, facts: Suggested("the entry of the audit", ("audit", "show", facts["audit_id"])),
    "dead_letter": lambda _, __, facts: Suggested(
        "the record, and why it could not be applied", ("events", "dlq", "list", "--id", facts["dead_letter_id"])
    ),
}
