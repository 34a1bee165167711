"""Compares what the database counts for a user's saves with the objects in S3."""

from collections import Counter
from typing import Any

from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, size, table
from gameshelf.libctl.shapes import NUMBER, STRING, Shape, list_of
from gameshelf.protos.library.v1.admin_saves_pb2 import QuotaDifference
from rich.console import RenderableType
from rich.text import Text

_REMEMBERED = 1000
"""Number of differences that are listed; all of them are counted."""
_DRAWN = 50
_SUMS = ("stored_objects", "stored_bytes", "counted_objects", "counted_bytes")
_WRONG = {
    "missing": "in the database but not in S3",
    "other_size": "in S3 with another size",
    "unknown": "in S3 but unknown to the database",
}
_IN_ORDER = {
    "dropped": "no longer counted, kept for a time",
    "pending": "an upload being confirmed, or abandoned",
}

COMPARED = Shape(
    fields={
        **dict.fromkeys(_SUMS, NUMBER),
        "differences": Shape(
            fields=dict.fromkeys((*_WRONG, *_IN_ORDER), Shape(fields={"objects": NUMBER, "bytes": NUMBER}))
        ),
        "differing": list_of(QuotaDifference),
        "next_cursor": STRING,
    }
)
"""The shape of a comparison."""


class Comparison:
    """The parts of a comparison together, in bounded memory."""

    def __init__(self) -> None:
        self.parts = 0
        self.sums: Counter[str] = Counter()
        self._objects: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._named: list[dict[str, Any]] = []

    def add(self, part: Any) -> None:
        """Takes a ``RecalculateQuotaResponse``."""
        self.parts += 1
        for name in _SUMS:
            self.sums[name] += getattr(part, name)
        for one in map(plain, part.differences):
            self._objects[one["kind"]] += 1
            self._bytes[one["kind"]] += one["stored_bytes"] or one["counted_bytes"] or 0
            if len(self._named) < _REMEMBERED:
                self._named.append(one)

    @property
    def is_right(self) -> bool:
        """Whether the counted storage equals the stored objects."""
        return not any(self._objects[kind] for kind in _WRONG)

    def data(self, next_cursor: str) -> dict[str, Any]:
        """The comparison as ``--json`` prints it."""
        return {
            **{name: self.sums[name] for name in _SUMS},
            "differences": {
                kind: {"objects": self._objects[kind], "bytes": self._bytes[kind]} for kind in (*_WRONG, *_IN_ORDER)
            },
            "differing": self._named,
            "next_cursor": next_cursor,
        }

    def drawn(self) -> list[RenderableType]:
        """The sums, and the objects about which something is wrong."""
        rows: list[tuple[object, ...]] = [
            ("counted", self.sums["counted_objects"], size(self.sums["counted_bytes"]), "as in quota show"),
            ("stored", self.sums["stored_objects"], size(self.sums["stored_bytes"]), "objects in S3"),
        ]
        for kind, meaning in (_WRONG | _IN_ORDER).items():
            if self._objects[kind]:
                cell = Text(meaning, style="red" if kind in _WRONG else "")
                rows.append((_name(kind), self._objects[kind], size(self._bytes[kind]), cell))
        sums = table(["", Column("objects", "right"), Column("bytes", "right"), ""], rows)
        if self.is_right:
            return [sums, Text("The database matches S3.", style="green")]
        wrong = [one for one in self._named if one["kind"] in _WRONG][:_DRAWN]
        named = [(_name(one["kind"]), one["counted_bytes"], one["stored_bytes"], one["key"]) for one in wrong]
        return [sums, table(["", Column("counted", "right"), Column("stored", "right"), "object"], named)]


def _name(kind: str) -> str:
    return kind.replace("_", " ")
