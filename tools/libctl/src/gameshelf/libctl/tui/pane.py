"""A tab: a table that is read page by page, the record at the cursor, and a line that says how the reading goes.

A read waits on a thread of its own, so that the keyboard never does. One read at a time; a failed one leaves what was
there before, and says why it failed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from gameshelf.libctl.client import Client
from gameshelf.libctl.errors import Refused
from gameshelf.libctl.output import visible
from gameshelf.libctl.tui.listing import ListedField, ListedPage, Listing, Position, Row, cell
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.message import Message
from textual.widgets import DataTable, Static

_PADDING, _SCROLL_BAR = 2, 2
"""The columns of blanks that a table has around each cell, and those of its scroll bar."""
_NARROWEST = 12
"""Of a column that gets what the others leave."""


@dataclass(slots=True)
class Level:
    """A listing, and where in it the player stands: one that was opened from another lies above it."""

    listing: Listing
    starts: list[Position | None] = field(default_factory=lambda: [None])
    """Where each page begins, up to the one that is shown."""
    page: ListedPage | None = None
    started: float | None = None
    """Since when a read is under way."""
    refused: Refused | None = None
    read_at: datetime | None = None
    cursor: str = ""
    """The key of the row at the cursor."""


class Pane(Vertical):
    """The contents of a tab. It reads when it is opened for the first time, and when it is asked to."""

    class Read(Message):
        """A read has ended: with a page, or with a refusal."""

        def __init__(self, level: Level, starts: list[Position | None], result: ListedPage | Refused) -> None:
            super().__init__()
            self.level, self.starts, self.result = level, starts, result

    def __init__(self, client: Client, listing: Listing) -> None:
        super().__init__()
        self._client = client
        self._levels = [Level(listing)]
        self._width = 0

    @property
    def level(self) -> Level:
        """The listing that is shown."""
        return self._levels[-1]

    @property
    def row(self) -> Row | None:
        """The row at the cursor."""
        rows = self.level.page.rows if self.level.page else ()
        return next((one for one in rows if one.key == self.level.cursor), None)

    @property
    def is_opened(self) -> bool:
        """Whether a listing is shown that was opened from another."""
        return len(self._levels) > 1

    def compose(self) -> ComposeResult:
        yield Static(classes="path", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=True, cell_padding=1)
        with VerticalScroll(classes="detail", can_focus=False):
            yield Static(markup=False)
        yield Static(classes="state", markup=False)

    def on_mount(self) -> None:
        self.set_interval(0.5, self._show_state)

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self._show()

    def open_first(self) -> None:
        """Reads if nothing was read yet, and takes the keyboard."""
        if self.level.page is None and self.level.refused is None:
            self.refresh_rows()
        self.query_one(DataTable).focus()

    def refresh_rows(self) -> None:
        """Reads the page again that is shown."""
        self._read(self.level.starts)

    def turn(self, step: int) -> bool:
        """Shows the next page (1) or the previous one (-1); False if there is none."""
        starts, page = self.level.starts, self.level.page
        following = [*starts, page.following] if page and page.following else []
        wanted = following if step > 0 else starts[:-1]
        if wanted:
            self._read(wanted)
        return bool(wanted)

    def open_row(self) -> bool:
        """Lists what belongs to the row at the cursor; False if there is nothing."""
        row = self.row
        if row is None or row.opens is None:
            return False
        self._open(row.opens)
        return True

    def narrow(self, choice: str) -> None:
        """Lists one kind only, above the listing of all kinds; "" returns to that."""
        narrowing = self.level.listing.narrowing
        if narrowing is None or choice == narrowing.chosen:
            return
        if narrowing.chosen:
            self._levels.pop()
        if choice:
            self._open(narrowing.listing_of(choice))
        else:
            self._show()

    def _open(self, listing: Listing) -> None:
        self._levels.append(Level(listing))
        self._show()
        self.refresh_rows()

    def back(self) -> None:
        """Returns to the listing from which this one was opened."""
        if self.is_opened:
            self._levels.pop()
            self._show()

    def _read(self, starts: list[Position | None]) -> None:
        level = self.level
        if level.started is not None:
            return
        level.started = monotonic()
        self._show_state()

        def read() -> None:
            try:
                result: ListedPage | Refused = level.listing.read(self._client, starts[-1])
            except Refused as refused:
                result = refused
            self.post_message(self.Read(level, starts, result))

        self.run_worker(read, thread=True)

    @on(Read)
    def _take(self, message: Read) -> None:
        level = message.level
        level.started = None
        if isinstance(message.result, Refused):
            level.refused = message.result
        else:
            is_turned = len(level.starts) != len(message.starts)
            level.page, level.starts, level.refused = message.result, message.starts, None
            level.read_at = datetime.now(UTC)
            keys = [row.key for row in level.page.rows]
            if is_turned or level.cursor not in keys:
                level.cursor = keys[0] if keys else ""
        if level is self.level:
            self._show()

    def _show(self) -> None:
        """Draws the listing on top: its columns fit the width, and the cursor stays at its row."""
        level, table = self.level, self.query_one(DataTable)
        self.query_one(".path", Static).update(self._path())
        self.query_one(".path").display = self.is_opened
        table.clear(columns=True)
        for one, width in zip(self._fields(), self._widths(), strict=True):
            table.add_column(Text(one.name, justify=one.justify), width=width)
        rows = level.page.rows if level.page else ()
        place = next((number for number, row in enumerate(rows) if row.key == level.cursor), 0)
        for row in rows:
            table.add_row(*self._cells(row))
        table.move_cursor(row=place)
        self._show_detail()
        self._show_state()

    def _fields(self) -> list[ListedField]:
        """The columns that a screen of this width has."""
        return [one for one in self.level.listing.fields if self._width >= one.from_columns]

    def _cells(self, row: Row) -> Iterator[Text]:
        for one, value in zip(self.level.listing.fields, row.cells, strict=True):
            if self._width < one.from_columns:
                continue
            made = cell(value)
            made.justify = one.justify
            yield made

    def _widths(self) -> Iterator[int]:
        fields = self._fields()
        fixed = sum(one.width or 0 for one in fields) + _PADDING * len(fields)
        open_ones = sum(1 for one in fields if one.width is None)
        left = (self._width - fixed - _SCROLL_BAR) // max(open_ones, 1)
        return (one.width or min(max(left, _NARROWEST), one.most) for one in fields)

    def _path(self) -> Text:
        return Text(" › ".join(visible(level.listing.title) for level in self._levels), "bold")

    @on(DataTable.RowHighlighted)
    def _move(self, event: DataTable.RowHighlighted) -> None:
        rows = self.level.page.rows if self.level.page else ()
        if 0 <= event.cursor_row < len(rows):
            self.level.cursor = rows[event.cursor_row].key
        self._show_detail()

    def _show_detail(self) -> None:
        row = self.row
        scroll = self.query_one(".detail")
        scroll.display = row is not None and row.detail != ""
        scroll.query_one(Static).update(row.detail if row else "")
        scroll.scroll_home(animate=False)
        self.app.refresh_bindings()

    def _show_state(self) -> None:
        state = self.query_one(".state", Static)
        state.update(self._state())

    def _state(self) -> Text:
        level = self.level
        if level.started is not None:
            waited = int(monotonic() - level.started)
            return Text(f"reading… {waited} s" if waited else "reading…", "yellow")
        if level.refused:
            hint = level.refused.hint
            said = f"{level.refused.message}. r reads again" + (f"; else: {hint}" if hint else "")
            return Text(visible(said), "bold red")
        if level.page is None:
            return Text()
        shown = f"{len(level.page.rows)} shown" if level.page.rows else level.listing.empty
        parts = [shown, level.page.total if level.page.rows else ""]
        if len(level.starts) > 1 or level.page.following:
            parts.append(f"page {len(level.starts)}" + ("" if level.page.following else ", the last"))
        return Text(" · ".join(filter(None, (*parts, f"read {level.read_at:%H:%M:%S} UTC"))), "dim")
