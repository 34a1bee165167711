"""Draws a save's versions as a tree: one line per version, the newest first, its parents below it."""

from collections.abc import Iterator, Sequence
from typing import Any

from gameshelf.libctl.output import Column, lines, size, table, visible
from gameshelf.libctl.times import minute
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

_WIDEST = 16
_WIDE = 110
"""The room that the table needs."""
_LEAST = 20
"""The room that a text has at least: what is left of a narrow terminal beside a wide tree breaks by itself."""
_MARKS = {"head": "◉", "history": "●", "branch": "●", "pruned": "○"}
_STYLES = {"head": "bold green", "branch": "yellow", "pruned": "dim"}


def drawn(versions: Sequence[dict[str, Any]], *, empty: str = "No versions here.") -> RenderableType:
    """The tree of some versions, which are in the order of their numbers, the newest first."""
    return _Drawn(versions) if versions else Text(empty, style="dim")


class _Drawn:
    """Versions beside their tree: as a table, or where that has too little room as lines of text.

    A table of many columns breaks each cell, and the tree with it. Lines of text break between words, and the lines of
    the tree lead on beside all of them.
    """

    stands_apart = True
    """``Output.result`` has an empty line above it, as above a table."""

    def __init__(self, versions: Sequence[dict[str, Any]]) -> None:
        self._versions = versions

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= _WIDE:
            yield _table(self._versions)
            return
        rows = list(_rows(self._versions))
        left = max(len(lane) for lane, _ in rows) + 2
        for one, (lane, below) in zip(self._versions, rows, strict=True):
            style = _STYLES.get(one["status"], "")
            room = max(options.max_width - left, _LEAST)
            for place, line in enumerate(Text("\n".join(_said(one))).wrap(console, room)):
                tree = (below if place else lane).ljust(left)
                yield Text(tree, style=style).append_text(Text(line.plain.rstrip(), style=style))


def _said(one: dict[str, Any]) -> list[str]:
    """Returns a version in a line or two."""
    first = (f"v{one['version']}", _status(one), size(one["file_size_bytes"]), minute(one["server_uploaded_at"]))
    second = (one["device_id"], played(one["playtime_seconds"]), one["comment"])
    return ["  ".join(map(visible, filter(None, words))) for words in (first, second) if any(words)]


def _table(versions: Sequence[dict[str, Any]]) -> RenderableType:
    columns = [
        Column("tree", whole=True),
        Column("version", "right"),
        Column("status"),
        Column("size", "right"),
        Column("uploaded", whole=True),
        *map(Column, ("device", "played", "comment")),
    ]
    rows = []
    for one, lane in zip(versions, lanes(versions), strict=True):
        style = _STYLES.get(one["status"], "")
        cells = (
            f"v{one['version']}",
            _status(one),
            size(one["file_size_bytes"]),
            minute(one["server_uploaded_at"]),
            one["device_id"],
            played(one["playtime_seconds"]),
            one["comment"],
        )
        rows.append([Text(lane, style=style), *(Text(visible(cell), style=style) for cell in cells)])
    return table(columns, rows)


def _status(one: dict[str, Any]) -> str:
    pinned = ", pinned" if one["is_pinned"] else ""
    return f"{one['status']}{pinned}"


def contents(versions: Sequence[dict[str, Any]]) -> RenderableType:
    """Draws the contents of versions. One identity means the same save, packed or encrypted in different ways."""
    rows = [(f"v{one['version']}", lines(one["content_identity"], *_origin(one))) for one in versions]
    return table(
        [Column("version", "right", whole=True), Column("identity of the content", whole=True)], rows, empty=""
    )


def _origin(of: dict[str, Any]) -> list[str]:
    """Returns the source of an identity, and the hash of the stored bytes if it differs."""
    if of["content_identity"] == of["file_hash_sha256"]:
        return ["the SHA-256 of the bytes"]
    if (of["encryption"] or {}).get("identity"):
        said = "as the game says, which encrypted it; that of the bytes:"
    else:
        said = f"the SHA-256 before {of['content_encoding']}; that of the bytes:"
    return [said, of["file_hash_sha256"]]


def lanes(versions: Sequence[dict[str, Any]]) -> list[str]:
    """For each version its line of the tree.

    ``◉`` is the head, ``○`` a version without its bytes. A line that ends (``╯``) grew from this version; one that
    begins (``╮``) leads to the branch that this version merged. Parents have lower numbers, and so are further down.
    """
    return [lane for lane, _ in _rows(versions)]


def _rows(versions: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yields for each version its line of the tree, and what leads on below it."""
    waiting: list[int | None] = []  # the version that each line leads to, the lines from left to right
    for one in versions:
        number = one["version"]
        if number not in waiting:
            _begin(waiting, number)
        own, *others = (place for place, version in enumerate(waiting) if version == number)
        waiting[own] = one["parent_version"] or None
        for place in others:
            waiting[place] = None
        merged = one["merged_version"]
        into = _begin(waiting, merged) if merged else None
        line = _line(waiting, own, _MARKS.get(one["status"], "●"), others, into)
        while waiting and waiting[-1] is None:
            waiting.pop()
        yield line, _cut(["  " if version is None else "│ " for version in waiting])


def _begin(waiting: list[int | None], number: int) -> int:
    """Makes a line that leads to a version, behind all that there are; its place."""
    waiting.append(number)
    return len(waiting) - 1


def _line(waiting: Sequence[int | None], own: int, mark: str, ending: Sequence[int], begun: int | None) -> str:
    reach = max([own, *ending, *([begun] if begun is not None else [])])
    signs = []
    for place, version in enumerate(waiting):
        if place == own:
            sign = mark
        elif place in ending:
            sign = "╯" if place == reach else "┴"
        elif place == begun:
            sign = "╮"
        elif own < place < reach:
            sign = "┼" if version is not None else "─"
        else:
            sign = "│" if version is not None else " "
        signs.append(sign + ("─" if own <= place < reach else " "))
    return _cut(signs)


def _cut(signs: Sequence[str]) -> str:
    cut = "".join(signs[:_WIDEST]).rstrip()
    return cut + "…" if len(signs) > _WIDEST else cut


def played(seconds: int | None) -> str:
    """Returns the playtime that a game has reported, to the minute, if it has."""
    return "" if seconds is None else f"{seconds // 3600:,}h {seconds // 60 % 60:02}m"
