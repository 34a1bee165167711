"""All output of the command line: data to standard output, messages to standard error; JSON with ``--json``.

Names of files, devices and saves were written by others, and a terminal obeys what it is sent: ``visible`` makes them
harmless. JSON needs none of it, since it is ASCII.
"""

import io
import json
import os
import shlex
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from gameshelf.savesync.amounts import files_text, size_text, span_text
from gameshelf.savesync.conflict import SaveConflict, UnitConflict
from gameshelf.savesync.errors import SaveSyncError, ServiceRefusal
from gameshelf.savesync.report import SlotReport, SyncAction, SyncReport
from gameshelf.savesync.uncovered import UncoveredFiles
from gameshelf.savesync.wire import CloudVersion, DeviceActivity
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (bidirectional marks, joiners, tags), halves of characters, separators of lines and paragraphs."""
_MOST_PATHS = 5
_UNBROKEN = 10_000
_DONE = {
    SyncAction.NONE: "up to date",
    SyncAction.UPLOAD: "uploaded",
    SyncAction.DOWNLOAD: "downloaded",
    SyncAction.MERGE: "merged",
    SyncAction.CONFLICT: "conflict",
    SyncAction.DELETED: "deleted elsewhere",
}
_TO_DO = {
    SyncAction.NONE: "up to date",
    SyncAction.UPLOAD: "to be uploaded",
    SyncAction.DOWNLOAD: "to be downloaded",
    SyncAction.MERGE: "to be merged",
    SyncAction.CONFLICT: "conflict",
    SyncAction.DELETED: "deleted elsewhere",
}
_NOT_DONE = {
    "auto_sync_off": "not synchronised, since that is switched off",
    "policy_off": "not synchronised, since the policy of the game says so",
    "backup": "the cloud's version is not taken, unless you ask for it",
    "nothing": "no files here, and none in the cloud",
    "failed": "failed",
}
"""Why there is nothing to be done, where that does not mean that both sides are the same."""
_KINDS = {
    "head_changed": "changed in the cloud",
    "branch_changed": "changed here",
    "both_changed": "changed on both sides",
    "head_deleted": "deleted in the cloud",
    "branch_deleted": "deleted here",
    "delete_vs_change": "deleted on one side, changed on the other",
}
_STATES = {
    "session_active": "plays this game now",
    "session_suspended": "has this game suspended",
    "upload_open": "uploads just now",
    "upload_pending": "has played and not uploaded",
}


def visible(value: object) -> str:
    """A value as text that can't do anything to a terminal: what is harmful shows as an escape, such as ``\\x1b``."""
    return "".join(_escaped(one) if unicodedata.category(one) in _HARMFUL else one for one in str(value))


def _escaped(one: str) -> str:
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def time_text(value: str | datetime | None) -> str:
    """A time of an answer, in the time zone of this machine, to the minute."""
    if value is None:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone():%Y-%m-%d %H:%M}"


class SyncOutput:
    """The output of a command."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.before: Callable[[], None] = lambda: None
        """Is called before anything is written: a bar that is shown has to go first."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a pipe of Windows has no letters but those of its code page
                stream.reconfigure(errors="backslashreplace")
        # A file or a pipe has no width, and a path that is broken in two is no path.
        is_wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        self.out = Console(highlight=False, soft_wrap=False, width=_UNBROKEN if is_wide else None)
        self.talk = Console(stderr=True, highlight=False, soft_wrap=True)

    def json(self, data: Any, *, is_line: bool = False) -> None:
        """One JSON document; with ``is_line`` one line, of many."""
        self.before()
        text = json.dumps(data, separators=(",", ":")) if is_line else json.dumps(data, indent=2)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def lines(self, lines: Iterable[str]) -> None:
        """Lines for a person."""
        self.before()
        for line in lines:
            self.out.print(Text(line), soft_wrap=": savesync " in line)  # a command that is broken in two is none

    def error(self, error: Exception) -> None:
        """Why the command failed."""
        self.before()
        text, code = str(error), error.code if isinstance(error, ServiceRefusal) else type(error).__name__
        hints = error.hints if isinstance(error, SaveSyncError) else ()
        if self.as_json:
            text = "; ".join((text, *hints))
            meta = error.meta if isinstance(error, ServiceRefusal) else {}
            sys.stderr.write(json.dumps({"error": {"code": code, "message": text, "meta": meta}}) + "\n")
            sys.stderr.flush()
        else:
            self.talk.print(Text(f"savesync: {visible(text)}", style="red"))
            for line in hints:
                self.talk.print(Text(f"  {visible(line)}"))

    def report(self, report: SyncReport, *, is_plan: bool = False, is_line: bool = False) -> None:
        """What a synchronisation did; with ``is_plan`` what one would do."""
        if self.as_json:
            self.json(report.to_json(), is_line=is_line)
        else:
            self.lines(report_lines(report, is_plan=is_plan))

    def auto_sync(self, is_on: bool, *, asked: str | None) -> None:
        """Whether the game synchronises by itself."""
        if self.as_json:
            self.json({"auto_sync": is_on})
            return
        self.lines([f"the automatic synchronisation of this game is switched {'on' if is_on else 'off'}"])
        if asked == "on" and not is_on:
            self.lines(["the account has switched it off for all games"])

    def history(self, versions: Sequence[CloudVersion], device_id: str | None = None) -> None:
        """The versions of the slots of a game, with a heading for each if there are several.

        ``device_id``: of this machine.
        """
        if self.as_json:
            self.json([_version_json(one) for one in versions])
            return
        slots = dict.fromkeys(one.slot_name for one in versions)
        for name in slots:
            if len(slots) > 1:
                self.lines([f"{visible(name)}:"])
            self._versions([one for one in versions if one.slot_name == name], device_id)
        if not versions:
            self.lines(["the cloud has no version of this save"])

    def _versions(self, versions: Sequence[CloudVersion], device_id: str | None) -> None:
        self.before()
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        names = ["version", "saved", "from", "files", "size", "played", ""]
        if not any(one.playtime_seconds for one in versions):
            names.remove("played")
        for name in names:
            justify: Literal["left", "right"] = "right" if name in ("version", "files", "size") else "left"
            table.add_column(name, justify=justify, overflow="fold", no_wrap=name != "")
        for one in versions:
            table.add_row(*(Text(text) for name, text in _version_cells(one, device_id).items() if name in names))
        self.out.print(table)


def report_lines(report: SyncReport, *, is_plan: bool = False) -> Iterator[str]:
    """A report for a person: what was done, what has to be decided, what others do."""
    several = sum(one.conflict is not None for one in report.slots) > 1
    for slot in report.slots:
        yield from _slot_lines(slot, is_plan=is_plan, several=several)
    if report.deferred:
        yield f"{'unknown' if is_plan else 'nothing was uploaded'} for now: {visible(report.deferred)}"
    if report.queued:
        yield f"work waits for the network since {time_text(report.queued_since)}"
    if not report.auto_sync:
        yield "the automatic synchronisation of this game is switched off"
    for other in report.others:
        yield _other_line(other)
    for one in report.uncovered:
        yield from _uncovered_lines(one)
    for file in report.skipped[:_MOST_PATHS]:
        sizes = f"{size_text(file.size_bytes)}, and {size_text(file.max_bytes)} are allowed"
        yield f"left out of the save: {visible(file.path)} has {sizes}"
    if len(report.skipped) > _MOST_PATHS:
        yield f"left out of the save: {len(report.skipped) - _MOST_PATHS} more files that are too large"
    for path in report.emptied:
        yield f"was empty, and had files of the save before (is its disk mounted?): {visible(path)}"
    for path in report.rescued:
        yield f"kept, since the game wrote it during an interrupted download: {visible(path)}"
    for path in report.links[:_MOST_PATHS]:
        yield f"a link is not followed: {visible(path)}"


def _slot_lines(slot: SlotReport, *, is_plan: bool, several: bool = False) -> Iterator[str]:
    """``several``: whether other slots have a conflict as well."""
    done = "restored" if slot.reason == "restored" else (_TO_DO if is_plan else _DONE)[slot.action]
    if slot.action is SyncAction.NONE:
        done = _NOT_DONE.get(slot.reason, done)
    if slot.question:
        done = "nothing was uploaded"
    if slot.action is SyncAction.CONFLICT and slot.conflict is None and not slot.question:
        done = f"conflict resolved ({slot.reason})" if not is_plan else done
    version = "" if slot.version is None else f", version {slot.version}"
    moved = [f"{size_text(size)} {way}" for size, way in _moved(slot) if size]
    counted = f", {files_text(slot.files)}" if slot.files else ""
    yield f"{visible(slot.slot)}: {done}{version}{counted}{''.join(f', {one}' for one in moved)}"
    if slot.question:
        yield f"  {visible(slot.question.text)}"
        if slot.question.option:
            yield f"  if that is what you want: {slot.question.option}"
    if slot.conflict:
        yield from (f"  {line}" for line in conflict_lines(slot.conflict))
        merge = "|units" if slot.conflict.can_merge and not slot.conflict.unnamed else ""
        choices = f"keep_local|keep_cloud|keep_both{merge}"
        choice = f"'{visible(slot.slot)}={choices}'" if several else choices
        yield f"  decide: savesync sync --on-conflict {choice}"
    if slot.action is SyncAction.DELETED and not slot.copy:
        yield "  the files stay here; as soon as they change, they are a new save"
        yield "  to have the deleted one again: savesync sync --undelete"
    if slot.copy:
        what = "the deleted one" if slot.action is SyncAction.DELETED else "the other side"
        yield f"  {what} is a save of its own: {visible(slot.copy)}"
        yield f"  to have it here: savesync restore --from {shlex.quote(visible(slot.copy))}"
    if slot.written_by_newer_version is not None:
        yield f"  a newer version of the game wrote the cloud's save: {visible(slot.written_by_newer_version)}"
    if slot.error:
        yield f"  {visible(slot.error)}"


def _moved(slot: SlotReport) -> tuple[tuple[int, str], ...]:
    return (slot.uploaded_bytes, "sent"), (slot.downloaded_bytes, "received")


def conflict_lines(conflict: SaveConflict) -> Iterator[str]:
    """Both sides of a conflict and the units that differ."""
    yield side_line("here ", conflict.branch)
    yield side_line("cloud", conflict.head)
    for unit in conflict.units:
        yield unit_line(unit, has_units=conflict.can_merge)


def side_line(name: str, side: CloudVersion) -> str:
    """A side, by what a player remembers of it."""
    saved = time_text(side.client_modified_at or side.server_uploaded_at)
    facts = [f"version {side.version}", *([saved] if saved else [])]
    facts.append(
        size_text(side.size) if side.file_count is None else f"{files_text(side.file_count)}, {size_text(side.size)}"
    )
    if side.playtime_seconds is not None:
        facts.append(f"played {span_text(side.playtime_seconds)}")
    if side.comment:
        facts.append(visible(side.comment))
    return f"{name}  {', '.join(facts)}"


def unit_line(unit: UnitConflict, *, has_units: bool = True) -> str:
    """A unit that differs. ``has_units``: whether the policy declares any; what is in none of them is one as well."""
    taken = {"head": "; suggested: the cloud's", "branch": "; suggested: this device's"}.get(unit.suggested or "", "")
    kind = _KINDS.get(unit.kind, unit.kind)
    other = " (no unit)" if has_units and unit.name.endswith("/") else ""
    return f"  {visible(unit.name)}{other}: {kind}, {files_text(len(unit.paths))}{taken}"


def _other_line(other: DeviceActivity) -> str:
    name = visible(other.device_name or other.device_id)
    played = other.unsynced_playtime_seconds
    more = f": {span_text(played)} that were never uploaded" if played else ""
    since = f" since {time_text(other.since)}" if other.since else ""
    return f"{name} {_STATES.get(other.state, visible(other.state))}{since}{more}"


def _uncovered_lines(one: UncoveredFiles) -> Iterator[str]:
    shown = ", ".join(map(visible, one.paths[:_MOST_PATHS]))
    yield f"changed beside {visible(one.root)!r}, and in no pattern (the save may have moved): {files_text(one.count)}"
    yield f"  {shown}"


def _version_cells(one: CloudVersion, device_id: str | None) -> dict[str, str]:
    marks = [*(("head",) if one.status == "head" else ()), *(("branch",) if one.status == "branch" else ())]
    marks += [*(("pinned",) if one.is_pinned else ()), *(("no bytes",) if one.status == "pruned" else ())]
    marks += [visible(one.comment)] if one.comment else []
    return {
        "version": str(one.version),
        "saved": time_text(one.client_modified_at or one.server_uploaded_at),
        "from": _maker(one, device_id),
        "files": "" if one.file_count is None else str(one.file_count),
        "size": size_text(one.size),
        "played": "" if one.playtime_seconds is None else span_text(one.playtime_seconds),
        "": ", ".join(marks),
    }


def _maker(one: CloudVersion, device_id: str | None) -> str:
    """Where a version was made. A set that no device sent is a merge or a restore of the service."""
    if one.device_id is None:
        return "" if one.file_count is None else "the cloud"
    return "this machine" if one.device_id == device_id else visible(one.device_id)[:8]


def _version_json(one: CloudVersion) -> dict[str, Any]:
    names = (
        "slot_name",
        "version",
        "parent_version",
        "status",
        "content_identity",
        "size",
        "file_count",
        "server_uploaded_at",
        "client_modified_at",
        "device_id",
        "comment",
        "is_pinned",
        "playtime_seconds",
    )
    return {name: getattr(one, name) for name in names}
