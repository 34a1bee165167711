"""A page of docs/support whose output is real: a story runs its commands, and each block has to say what they said.

With RECORD_PAGES=1 the blocks of the page are written instead; the text between them stays. What differs from run to
run is not compared (times, revisions, cursors, numbers of the audit), or by its order of appearance only (ids).
"""

import os
import re
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path
from typing import Any

_PAGES = Path(__file__).parents[5] / "docs" / "support"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COLUMNS = 100
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "id"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"), "time"),
    (re.compile(r"^last 14 (?:days|weeks) .*$", re.MULTILINE), "recent"),
    (re.compile(r"(?<=--revision )[0-9a-f]{16}\b"), "revision"),
    (re.compile(r"(?<=--cursor )\S+"), "cursor"),
    (re.compile(r"(?<=entry )\d+|(?<=undo )\d+|(?<=audit show )\d+"), "entry"),
    (re.compile(r"(?<=audit entries)\s+\d+ to \d+"), " entries"),
    (re.compile(r"(?<=newest is number )\d+"), "sequence"),
    (re.compile(r"^(?:\w+\.\w+ +\d+ +[\d.]+ \w+\n)+", re.MULTILINE), "tables"),
    (re.compile(r"^SHA-256 +[0-9a-f]{64}$", re.MULTILINE), "hash of an archive"),
    (re.compile(r"^ *\d+(?=   \S.*   (?:change|refusal|read)\b)", re.MULTILINE), "entry"),
    (re.compile(r"[\d,]+h \d\dm \d\ds(?= ago)|(?<=connected for )[\d,]+h \d\dm \d\ds"), "span"),
)
_WIDTHS = re.compile(r" {2,}|─+")


class RecordedPage:
    """A page, and the commands of its story so far."""

    def __init__(self, name: str, typed: Callable[..., Any]) -> None:
        """``typed`` runs the words of a command as somebody, and returns what it printed."""
        self._path, self._typed = _PAGES / f"{name}.md", typed
        self._blocks: list[str] = []

    def runs(self, *commands: str, by: str = "support") -> None:
        """Runs commands, which are a block of the page."""
        self._blocks.append("".join(f"$ {one}\n{self._typed(one, by, _COLUMNS)}" for one in commands))

    def check(self) -> None:
        """Fails where the page shows another output than its commands have; or records it."""
        text = self._path.read_text(encoding="utf-8")
        shown = _BLOCK.findall(text)
        if os.environ.get("RECORD_PAGES"):
            left = iter(self._blocks)
            text = _BLOCK.sub(lambda _: f"```console\n{next(left)}```", text)
            self._path.write_text(text, encoding="utf-8")
            shown = _BLOCK.findall(text)
        page, real = (comparable("\n".join(blocks)).splitlines() for blocks in (shown, self._blocks))
        difference = "\n".join(unified_diff(page, real, self._path.name, "what the commands print", lineterm="", n=1))
        assert not difference, f"{difference}\nRECORD_PAGES=1 records the page again."


def comparable(text: str) -> str:
    """Replaces what differs from run to run: equal values stay equal."""
    for pattern, name in _VARYING:
        seen: dict[str, str] = {}
        if name == "id":
            text = pattern.sub(lambda found: seen.setdefault(found[0], f"<id {len(seen)}>"), text)  # noqa: B023
        else:
            text = pattern.sub(f"<{name}>", text)
    return _WIDTHS.sub(" ", text)
