"""Asks the player about a conflict, on a terminal. Without one nobody is asked, and the conflict stays open."""

import os
import sys
from collections.abc import Callable

from gameshelf.savesync.conflict import (
    ConflictDecision,
    SaveConflict,
    UndecidableChoice,
    UnitConflict,
    UnitSide,
    decision_of,
)
from gameshelf.savesync.output import SyncOutput, conflict_lines, unit_line, visible
from rich.text import Text


class Asking:
    """Decides conflicts by asking for each."""

    def __init__(self, out: SyncOutput, read: Callable[[str], str] | None = None) -> None:
        self._out, self._read = out, read or _read
        self._can_ask = read is not None or (sys.stdin.isatty() and not out.as_json)

    def __call__(self, conflict: SaveConflict) -> ConflictDecision | None:
        """The player's decision, or None to decide later."""
        if not self._can_ask:
            return None
        for line in (f"{visible(conflict.slot_name)}: both sides have changed", *conflict_lines(conflict)):
            self._out.talk.print(Text(line))
        merge = ", (m)erge by unit" if conflict.can_merge else ""
        question = f"keep (l)ocal, (c)loud, (b)oth{merge}, or nothing to decide later: "
        while True:
            try:
                return decision_of(conflict, self._read(question), self._ask_unit)
            except UndecidableChoice:
                continue
            except EOFError:
                return None

    def _ask_unit(self, unit: UnitConflict) -> UnitSide | None:
        answers = {"c": UnitSide.HEAD, "h": UnitSide.HEAD, "l": UnitSide.BRANCH, "b": UnitSide.BRANCH, "": None}
        self._out.talk.print(Text(unit_line(unit)))
        while (
            answer := self._read("  (l)ocal or (c)loud, or nothing to decide later: ").strip().lower()
        ) not in answers:
            continue
        return answers[answer]


def _read(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    # Python cannot end while a thread holds the buffer of the standard input: a terminal gives a line without it.
    line = os.read(sys.stdin.fileno(), 4096).decode(sys.stdin.encoding, "replace")
    if not line:
        raise EOFError
    return line
