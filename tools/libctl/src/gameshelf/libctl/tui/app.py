"""The screen of a player: the tabs, and the keys."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.tui.choice_list import ChoiceList
from gameshelf.libctl.tui.command_list import CommandList
from gameshelf.libctl.tui.pane import Pane
from gameshelf.libctl.tui.tabs import TABS
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

_MOST_COPIED = 100
_NARROW, _ROOMY = 88, 110
"""The columns below which tabs have their shorter names, and from which they show their keys."""


class PlayerScreen(App[list[str]]):
    """One player, read-only. Returns the commands that were copied."""

    CSS_PATH = "screen.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reread", "Refresh"),
        Binding("n", "turn(1)", "Next"),
        Binding("p", "turn(-1)", "Prev"),
        Binding("enter", "open", "Open", priority=True),
        Binding("enter", "commands", show=False, priority=True),  # of a row that opens nothing
        Binding("b,backspace", "close_listing", "Back"),
        Binding("f", "narrow", "Filter"),
        Binding("c", "commands", "Commands"),
        Binding("left", "move(-1)", "Tabs", key_display="←→", priority=True),
        Binding("right", "move(1)", show=False, priority=True),
        Binding("q", "leave", "Quit"),
        Binding("ctrl+c", "leave", show=False, priority=True),
        *(Binding(str(number % 10), f"tab({number})", show=False) for number in range(1, len(TABS) + 1)),
    ]

    def __init__(self, client: Client, user: UUID, options: Sequence[str]) -> None:
        super().__init__()
        self._client, self._user, self._options = client, user, options
        self._copied: list[str] = []
        self.title = f"libctl tui {user}"

    @property
    def pane(self) -> Pane:
        """The tab that is shown."""
        tab = self.query_one(TabbedContent).active_pane
        assert tab is not None
        return tab.query_one(Pane)

    def compose(self) -> ComposeResult:
        yield Static(f"{self._user} at {self._client.address}", id="player", markup=False)
        with TabbedContent(initial="tab-1"):
            for number, (_, _, listing_of) in enumerate(TABS, 1):
                with TabPane(_tab_name(number, self.size.width), id=f"tab-{number}"):
                    yield Pane(self._client, listing_of(self._user))
        yield Footer(show_command_palette=False)

    def on_resize(self, event: Resize) -> None:
        tabs = self.query_one(TabbedContent)
        for number in range(1, len(TABS) + 1):
            tab, name = tabs.get_tab(f"tab-{number}"), _tab_name(number, event.size.width)
            if tab.label_text != name:
                tab.label = name

    @on(TabbedContent.TabActivated)
    def _open_tab(self) -> None:
        self.pane.open_first()
        self.refresh_bindings()

    @on(DataTable.RowSelected)
    def _select(self) -> None:
        """A click on the row at the cursor."""
        if not self.pane.open_row():
            self.action_commands()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides the keys that would do nothing now. With a list in front only its own keys work."""
        if isinstance(self.screen, ModalScreen):
            return action == "leave"
        if action not in ("turn", "open", "close_listing", "commands", "narrow") or not self.query(Pane):
            return True
        pane = self.pane
        row, page = pane.row, pane.level.page
        return {
            "turn": bool(page and page.following) if parameters == (1,) else len(pane.level.starts) > 1,
            "open": row is not None and row.opens is not None,
            "close_listing": pane.is_opened,
            "commands": row is not None and bool(row.commands),
            "narrow": pane.level.listing.narrowing is not None,
        }[action]

    def action_reread(self) -> None:
        self.pane.refresh_rows()

    def action_turn(self, step: int) -> None:
        self.pane.turn(step)

    def action_open(self) -> None:
        self.pane.open_row()

    def action_close_listing(self) -> None:
        self.pane.back()
        self.refresh_bindings()

    def action_tab(self, number: int) -> None:
        self.query_one(TabbedContent).active = f"tab-{number}"

    def action_move(self, step: int) -> None:
        number = int(self.query_one(TabbedContent).active.partition("-")[2]) + step
        self.action_tab((number - 1) % len(TABS) + 1)

    def action_narrow(self) -> None:
        if narrowing := self.pane.level.listing.narrowing:
            self.push_screen(ChoiceList(narrowing), self._narrow)

    def _narrow(self, choice: str | None) -> None:
        if choice is not None:
            self.pane.narrow(choice)
        self.refresh_bindings()

    def action_commands(self) -> None:
        row = self.pane.row
        if row and row.commands:
            self.push_screen(CommandList(row.commands, self._options), self._copy)

    def _copy(self, line: str | None) -> None:
        self.refresh_bindings()
        if line is None:
            return
        self.copy_to_clipboard(line)
        self._copied = [*(one for one in self._copied if one != line), line][-_MOST_COPIED:]
        self.notify(line, title="Copied", markup=False)

    def action_leave(self) -> None:
        """Quits, and ends the calls that are still waited for."""
        self._client.close()
        self.exit(self._copied)


def _tab_name(number: int, columns: int) -> str:
    """All tabs are in sight: with their keys where there is room, and by shorter names where there is little."""
    name, short, _ = TABS[number - 1]
    if columns < _NARROW:
        return short
    return f"{number % 10} {name}" if columns >= _ROOMY else name
