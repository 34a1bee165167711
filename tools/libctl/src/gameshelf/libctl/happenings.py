"""What happened to a user, in words: a sentence of the facts of each kind."""

from collections.abc import Callable, Mapping
from typing import Any

from gameshelf.libctl.output import size
from gameshelf.libctl.refused_reports import reported_name, rule_in_words
from gameshelf.libctl.times import span

Facts = Mapping[str, Any]


def _granted(of: Facts) -> str:
    copies = f", {of['quantity']} copies" if (of["quantity"] or 1) > 1 else ""
    return f"got the product by {of['grant_kind']} {of['source_id']}{copies}"


def _ended(of: Facts) -> str:
    by = {"support": ", by support", "order_facts": ", refunded"}.get(of["ended_by"] or "", "")
    return f"lost the {of['grant_kind']} {of['source_id']}{by}"


def _session(of: Facts) -> str:
    device = of["device_id"] or "an unnamed device"
    if of["duration_seconds"] is None:
        return f"began to play on {device}, and still does: session {of['session_id']}"
    return f"played {span(of['duration_seconds'])} on {device}, {of['end_reason']}: session {of['session_id']}"


def _refused(of: Facts) -> str:
    often = f", {of['attempts']:,} times" if of["attempts"] > 1 else ""
    what = f"report of achievement {reported_name(of['subject'])} by the {of['source']}"
    return f"{what} refused{often}: {rule_in_words(of['rule'])}"


def _settings_ended(of: Facts) -> str:
    layer = f"{of['layer']} {of['name']}" if of["name"] else of["layer"]
    return f"settings of the {layer} {of['ended_by']}; they were revision {of['revision']}"


def _save(of: Facts) -> str:
    device = f" from {of['device_id']}" if of["device_id"] else ""
    return f"saved {of['slot_name']}{device}, version {of['version']}, {size(of['file_size_bytes'])}"


def _conflict(of: Facts) -> str:
    state = f"resolved: {of['resolution']}" if of["resolution"] else "still open"
    return f"conflict of {of['slot_name']}, {state}: conflict {of['conflict_id']}"


def _support(of: Facts) -> str:
    ticket = f" ({of['ticket']})" if of["ticket"] else ""
    done = f"refused with {of['code']}" if of["audit_kind"] == "refusal" else of["reason"] or of["audit_kind"]
    return f"support: {of['command']}{ticket}, {done}: audit entry {of['audit_id']}"


_SENTENCES: Mapping[str, Callable[[Facts], str]] = {
    "product_granted": _granted,
    "product_ended": _ended,
    "family_as_owner": lambda of: f"shares with {of['other_user_id']}: {of['status']}",
    "family_as_member": lambda of: f"{of['other_user_id']} shares with them: {of['status']}",
    "session": _session,
    "playtime_corrected": lambda of: f"playtime corrected by {span(of['seconds'], signed=True)}: {of['reason']}",
    "achievement_unlocked": lambda of: f"unlocked {of['api_name'] or of['achievement_id']}",
    "achievement_refused": _refused,
    "wish_added": lambda of: "put it on the wishlist",
    "price_notified": lambda of: f"was notified of {'sale ' + of['sale_id'] if of['sale_id'] else 'a lasting cut'}",
    "settings_changed": lambda of: f"changed settings, revision {of['revision']}",
    "settings_ended": _settings_ended,
    "save": _save,
    "save_deleted": lambda of: f"moved {of['slot_name']} to the trash",
    "save_conflict": _conflict,
    "support": _support,
    "dead_letter": lambda of: f"a record of {of['topic']} could not be applied: {of['reason']}",
}
KINDS = tuple(_SENTENCES)
"""The kinds that the service has."""


def sentence(kind: str, facts: Facts) -> str:
    """Says what happened; of a kind that a newer service has, the facts as they are."""
    say = _SENTENCES.get(kind)
    return say(facts) if say else f"{kind}: {', '.join(f'{name} {value}' for name, value in facts.items())}"
