"""All output of all commands: data to standard output, talk to standard error.

A terminal obeys what it is sent, and much of what is shown here was written by users: names of saves, titles, reasons.
``visible`` makes it harmless, and everything that is drawn goes through it. In JSON the same characters are escaped,
and all others are as they are, so that a Russian title can be read and searched for.
"""

import csv
import json
import sys
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal
from uuid import UUID

from gameshelf.libctl import shown
from gameshelf.libctl.errors import Refused
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleRenderable, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (bidirectional marks, joiners, tags), halves of characters, separators of lines and paragraphs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``style`` is one of rich; numbers belong to the right."""

    name: str
    justify: Literal["left", "right"] = "left"
    style: str = ""
    whole: bool = False
    """Never broken into several lines: for ids that somebody will copy."""
    least: int = 0
    """It is never narrower than this, for a column of ids and longer texts below each other."""


@dataclass(frozen=True, slots=True)
class Csv:
    """How ``--csv`` prints a list: the field with its rows, and the columns, each a path of names."""

    rows: str
    columns: Sequence[str]


@dataclass(frozen=True, slots=True)
class Copied:
    """A line that somebody will copy. Where it is too long the terminal breaks it, which a selection undoes."""

    text: str


class Output:
    """The output of a command. There is one per process, in ``Context.obj`` of click."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.csv: Csv | None = None
        self._has_heading = False
        self._ids: deque[shown.ShownId] = deque(maxlen=shown.MOST)
        self.out = Console(highlight=False, soft_wrap=False)
        self.talk = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def is_wide(self) -> bool:
        """Whether the terminal is wide enough for optional columns."""
        return self.out.width >= 110

    def result(self, data: Any, *drawn: RenderableType | Copied) -> None:
        """The command's answer: ``data`` as one JSON document with ``--json``, its list with ``--csv``, else what was
        drawn of it.
        """
        shown.remember(shown.ids_in(data))
        if self.csv:
            self._write_rows(self.csv.columns, data[self.csv.rows])
            return
        if self.as_json:
            sys.stdout.write(_json(data, indent=2) + "\n")
            sys.stdout.flush()
            return
        self._draw(drawn)

    def _draw(self, drawn: Sequence[RenderableType | Copied]) -> None:
        for place, part in enumerate(drawn):
            if isinstance(part, Copied):
                self.out.print(Text(visible(part.text)), soft_wrap=True)
                continue
            if place and _stands_apart(part) and drawn[place - 1] != "":
                self.out.print()  # the names of its columns would look like one more line of what stands above
            self.out.print(Text(visible(part)) if isinstance(part, str) else part)

    def line(self, data: Any, draw: Callable[[], Iterable[RenderableType]]) -> None:
        """One of very many answers: with ``--json`` one line of JSON, else what is drawn of it then. None is kept, but
        their last ids are, until ``end``: writing their file for each one would take longer than all else.
        """
        self._ids.extend(shown.ids_in(data))
        if self.csv:
            self._write_rows(self.csv.columns, [data])
        elif self.as_json:
            sys.stdout.write(_json(data, separators=(",", ":")) + "\n")
        else:
            self._draw(list(draw()))

    def end(self) -> None:
        """Keeps the ids of the last lines for completion, the newest first."""
        shown.remember(reversed(self._ids))

    def _write_rows(self, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if not self._has_heading:
            writer.writerow(columns)
            self._has_heading = True
        writer.writerows([_cell(row, column.split(".")) for column in columns] for row in rows)
        sys.stdout.flush()

    def say(self, message: str, style: str = "") -> None:
        """A word beside the data: what happens, what to do next. Never part of the answer."""
        self.talk.print(Text(visible(message, lines=True), style=style))

    def warn(self, message: str) -> None:
        self.say(message, "yellow")

    def refuse(self, refused: Refused) -> None:
        """Prints an error and what to try."""
        if self.as_json:
            error = {"code": refused.reason, "message": refused.message, "try": refused.hint}
            sys.stderr.write(_json({"error": error}) + "\n")
            return
        self.say(f"libctl: {refused.message}", "red")
        if refused.hint:
            self.say(f"Try: {refused.hint}")


def visible(value: object, *, lines: bool = False) -> str:
    """``value`` as text that can't do anything to a terminal: what is harmful shows as its escape, such as ``\\x1b``.

    With ``lines``, for texts of our own, a line break stays one. None is an empty string.
    """
    if value is None:
        return ""
    text = _said(value)
    return "".join(
        _escaped(char) if unicodedata.category(char) in _HARMFUL and not (lines and char == "\n") else char
        for char in text
    )


def table(columns: Sequence[Column | str], rows: Iterable[Sequence[object]], *, empty: str = "none") -> RenderableType:
    """A table of plain values. What rich draws is taken as it is: the maker of a Text has used ``visible``."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        described = column if isinstance(column, Column) else Column(column)
        drawn.add_column(
            Text(described.name),
            justify=described.justify,
            style=described.style,
            overflow="fold",
            no_wrap=described.whole,
            min_width=described.least or None,
        )
    for row in rows:
        drawn.add_row(*map(_drawable, row))
    return drawn if drawn.row_count else Text(empty, style="dim")


def lines(first: object, *others: object) -> Text:
    """A cell of several plain values, one below the other: where they would not all fit side by side."""
    return Text(visible(first)).append("".join(f"\n{visible(other)}" for other in others), "dim")


def facts(pairs: Mapping[str, object] | Iterable[tuple[str, object]]) -> RenderableType:
    """Names and values, one a line."""
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        drawn.add_row(Text(visible(name)), _drawable(value))
    return drawn


def tree(label: object, children: Iterable["Branch"]) -> RenderableType:
    """A tree of plain values."""
    drawn = Tree(_label(label), guide_style="dim")
    _grow(drawn, children)
    return drawn


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a tree, with what hangs on it."""

    label: object
    children: Sequence["Branch"] = ()


def size(number: int) -> str:
    """A number of bytes for people: ``1.5 MiB``."""
    amount, unit = float(number), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{int(amount)} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _grow(parent: Tree, children: Iterable[Branch]) -> None:
    for child in children:
        _grow(parent.add(_label(child.label)), child.children)


def _label(label: object) -> Text:
    return label if isinstance(label, Text) else Text(visible(label))


def _drawable(value: Any) -> RenderableType:
    return value if isinstance(value, ConsoleRenderable) else Text(visible(value))


def _escaped(char: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    code = ord(char)
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _stands_apart(part: RenderableType) -> bool:
    return part.show_header if isinstance(part, Table) else getattr(part, "stands_apart", False)


def _cell(row: Any, path: Sequence[str]) -> object:
    """Returns a value as CSV has it: what is absent is empty, a list is JSON.

    A spreadsheet takes a text that begins like a formula for one, and players write texts: it gets an apostrophe.
    """
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    if row is None:
        return ""
    if isinstance(row, bool):
        return "true" if row else "false"
    if isinstance(row, int | float):
        return row
    text = visible(row) if isinstance(row, str) else _json(row).strip('"')
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _json(data: object, **form: Any) -> str:
    """``data`` as JSON in which only what could harm a terminal is escaped; ASCII if the output is not in UTF-8."""
    is_utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    text = json.dumps(data, default=_plain, ensure_ascii=not is_utf8, **form)
    if text.isascii() and "\x7f" not in text:
        return text
    # Within strings JSON has escaped every line break already: those that are left belong to the form.
    return "".join(
        json.dumps(char)[1:-1] if char > "~" and unicodedata.category(char) in _HARMFUL else char for char in text
    ).replace("\x7f", "\\u007f")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return str(value.value if isinstance(value, Enum) else value)


def _plain(value: object) -> object:
    """Encodes values that JSON lacks, as REST does."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID | PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
