"""What a tab lists: its columns, how a page of it is read, and the commands that belong to a row."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gameshelf.libctl.client import Client
from gameshelf.libctl.output import Branch, tree, visible
from google.protobuf.message import Message
from rich.console import RenderableType
from rich.text import Text

LIMIT = 50
"""The number of entries per read. No more than a page is kept, however long a list is."""

Position = Mapping[str, Any]
"""Where a page begins: for each part of a listing that has more, its cursor or the number of its page."""
_BEGIN: Any = None


@dataclass(frozen=True, slots=True)
class ListedField:
    """A column. The one without a width gets what the others leave."""

    name: str
    width: int | None = None
    justify: Literal["left", "right"] = "left"
    most: int = 60
    """The width of one without a width: a title far from its values is hard to follow."""
    from_columns: int = 0
    """It is there on a screen that has so many columns."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A command line that says more of a row, or that would change it. Without ``--apply`` a change is a dry run."""

    purpose: str
    words: Sequence[object]

    def line(self, options: Sequence[str] = ()) -> str:
        """Returns the line for a shell, with these options before the noun."""
        return shlex.join(["libctl", *options, *map(str, self.words)])


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. ``detail`` is drawn below the table, ``opens`` is listed in its place."""

    key: str
    cells: Sequence[object]
    detail: RenderableType = ""
    commands: Sequence[Suggested] = ()
    opens: "Listing | None" = None


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Some rows, where the next ones begin (None: these are the last), and how many there are in all, if known."""

    rows: Sequence[Row]
    following: Position | None = None
    total: str = ""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The kinds by which a listing can be narrowed: all, the one that is chosen ("" for none), and what lists one."""

    choices: Sequence[str]
    chosen: str
    listing_of: "Callable[[str], Listing]"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is read by pages. ``read`` waits for the service, and raises Refused."""

    title: str
    fields: Sequence[ListedField]
    read: Callable[[Client, Position | None], ListedPage]
    empty: str = "none"
    narrowing: Narrowing | None = None


@dataclass(frozen=True, slots=True)
class ListedPart:
    """A page of one kind of entry, the beginning of the next page of them (None: there is none), and their number."""

    rows: Sequence[Row]
    following: object | None = None
    total: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one kind of entry. A listing of several kinds reads those of which there is more."""

    name: str
    read: Callable[[Client, Any], ListedPart] = field(repr=False)


def listing(
    title: str,
    fields: Sequence[ListedField],
    *readers: Reader,
    empty: str = "none",
    narrowing: Narrowing | None = None,
) -> Listing:
    """Makes a listing of some kinds of entries, one kind after the other on each page."""

    def read(client: Client, position: Position | None) -> ListedPage:
        found = {
            reader.name: reader.read(client, position[reader.name] if position else _BEGIN)
            for reader in readers
            if position is None or reader.name in position
        }
        following = {name: part.following for name, part in found.items() if part.following is not None}
        rows = [row for part in found.values() for row in part.rows]
        totals = ", ".join(part.total for part in found.values() if part.total)
        return ListedPage(rows, following or None, totals)

    return Listing(title, fields, read, empty, narrowing)


def paged(
    request: Callable[[int], Message], call: str, rows: Callable[[dict[str, Any]], ListedPart]
) -> Callable[..., ListedPart]:
    """Reads a list that the service has by numbered pages. ``rows`` makes a part of the response, with its total."""
    from gameshelf.libctl.messages import plain

    def read(client: Client, page: int | None) -> ListedPart:
        number = page or 1
        found = plain(client.call(call, request(number)))
        part, total = rows(found), found["total_items"]
        return ListedPart(part.rows, number + 1 if total > number * LIMIT else None, part.total)

    return read


def called(kind: str) -> str:
    """The name of a kind, as it is shown."""
    return kind.replace("_", " ")


def label(title: str, *more: object) -> Text:
    """A title, and what belongs to it in a weaker colour."""
    return Text(visible(title or "(no title)")).append("".join(f"  {visible(one)}" for one in more), "dim")


def detail(of: Text | Branch, *branches: object) -> RenderableType:
    """Draws a record with its values below."""
    children = [one if isinstance(one, Branch) else Branch(one) for one in branches if one]
    return tree(of.label, [*of.children, *children]) if isinstance(of, Branch) else tree(of, children)


def cell(value: object) -> Text:
    """A value as a cell of one line, harmless to the terminal, with an ellipsis where it is cut off."""
    text = value.copy() if isinstance(value, Text) else Text(visible(value))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
