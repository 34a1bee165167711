"""The ids that were shown last, from which a shell completes words. They are in a file that only its owner may read.

It holds no names of people, and each id for a month.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

MOST = 200
KEPT_DAYS = 30
_LONGEST_LABEL = 60
# By the field that holds it: the kind of the thing, as ``libctl find`` names kinds.
_KINDS = {
    "user_id": "user",
    "owner_user_id": "user",
    "other_user_id": "user",
    "shared_with_user_id": "user",
    "product_id": "product",
    "savegame_id": "save",
    "upload_id": "upload",
    "conflict_id": "conflict",
    "session_id": "session",
    "link_id": "link",
    "dead_letter_id": "dead_letter",
    "order_id": "order",
    "audit_id": "audit_entry",
    "batch_id": "batch",
}
# What may stand beside an id and says what it is. Of a user that would be the name of a person.
_LABELS = {"product": "title", "save": "slot_name", "audit_entry": "command", "user": ""}


@dataclass(frozen=True, slots=True)
class ShownId:
    """An id that was shown, with a text that says what it is, if there was one."""

    kind: str
    id: str
    label: str
    day: str = field(default="", compare=False)
    """When it was shown last, in UTC."""


def load() -> list[ShownId]:
    """Returns the ids that were shown last, the newest first; none if the file is absent or damaged."""
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
        found = [ShownId(*(str(one[name]) for name in ("kind", "id", "label", "day"))) for one in kept]
        first = _today() - timedelta(days=KEPT_DAYS)
        return [one for one in found if date.fromisoformat(one.day) >= first][:MOST]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def ids_in(data: Any) -> list[ShownId]:
    """Returns the ids in a result, each once, in the order in which they stand there."""
    return list(dict.fromkeys(_ids(data)))[:MOST]


def remember(ids: Iterable[ShownId]) -> None:
    """Keeps ids, the first one as the newest. A file that can't be written keeps nothing: no command fails by it."""
    day = _today().isoformat()
    new = [ShownId(one.kind, one.id, one.label, day) for one in dict.fromkeys(ids)][:MOST]
    if not new:
        return
    named = {(one.kind, one.id) for one in new}
    kept = [*new, *(one for one in load() if (one.kind, one.id) not in named)][:MOST]
    with suppress(OSError):
        _replace(_file(), json.dumps([asdict(one) for one in kept]))


def _today() -> date:
    return datetime.now(UTC).date()


def _file() -> Path:
    """``LIBCTL_SHOWN``, else ``libctl/shown.json`` under ``XDG_STATE_HOME``."""
    if named := os.environ.get("LIBCTL_SHOWN"):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "libctl" / "shown.json"


def _replace(path: Path, text: str) -> None:
    """Writes the file as a whole: two commands at once leave the one or the other."""
    if path.exists() and not path.is_file():  # such as /dev/null, which keeps nothing
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _ids(data: Any) -> Iterator[ShownId]:
    if isinstance(data, list):
        for one in data:
            yield from _ids(one)
    elif isinstance(data, dict):
        if isinstance(data.get("kind"), str) and isinstance(data.get("id"), str):  # of libctl find
            label = "" if data["kind"] == "user" else data.get("title") or data.get("name") or ""
            yield ShownId(data["kind"], data["id"], str(label)[:_LONGEST_LABEL])
        for name, value in data.items():
            kind = _KINDS.get(name)
            if kind and isinstance(value, str | int) and value:  # an audit entry has a number
                label = data.get(_LABELS.get(kind, "title")) or ""
                yield ShownId(kind, str(value), str(label)[:_LONGEST_LABEL])
            elif isinstance(value, dict | list):
                yield from _ids(value)
