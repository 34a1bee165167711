"""The screen of a player: the tabs, and the keys."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from gameshelf.libctl.client import Client
from gameshelf.libctl.tui.command_list import CommandList
from gameshelf.libctl.tui.pane import Pane
from gameshelf.libctl.tui.tabs import TABS
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

_MOST_COPIED = 100


class PlayerScreen(App[list[str]]):
    """One player, read-only. Returns the commands that were copied."""

    CSS_PATH = "screen.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reread", "Refresh"),
        Binding("n", "turn(1)", "Next"),
        Binding("p", "turn(-1)", "Previous"),
        Binding("enter", "open", "Open", priority=True),
        Binding("b,backspace", "close_listing", "Back"),
        Binding("c", "commands", "Commands"),
        Binding("left", "move(-1)", "Tabs", key_display="←→", priority=True),
        Binding("right", "move(1)", show=False, priority=True),
        Binding("q", "leave", "Quit"),
        Binding("ctrl+c", "leave", show=False, priority=True),
        *(Binding(str(number), f"tab({number})", show=False) for number in range(1, len(TABS) + 1)),
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
            for number, (name, listing_of) in enumerate(TABS, 1):
                with TabPane(name, id=f"tab-{number}"):
                    yield Pane(self._client, listing_of(self._user))
        yield Footer(show_command_palette=False)

    @on(TabbedContent.TabActivated)
    def _open_tab(self) -> None:
        self.pane.open_first()
        self.refresh_bindings()

    @on(DataTable.RowSelected)
    def _select(self) -> None:
        """A click on the row at the cursor."""
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides the keys that would do nothing now. With a list of commands in front only its own keys work."""
        if isinstance(self.screen, CommandList):
            return action == "leave"
        if action not in ("turn", "open", "close_listing", "commands") or not self.query(Pane):
            return True
        pane = self.pane
        row, page = pane.row, pane.level.page
        return {
            "turn": bool(page and page.following) if parameters == (1,) else len(pane.level.starts) > 1,
            "open": row is not None and (row.opens is not None or bool(row.commands)),
            "close_listing": pane.is_opened,
            "commands": row is not None and bool(row.commands),
        }[action]

    def action_reread(self) -> None:
        self.pane.refresh_rows()

    def action_turn(self, step: int) -> None:
        self.pane.turn(step)

    def action_open(self) -> None:
        if not self.pane.open_row():
            self.action_commands()

    def action_close_listing(self) -> None:
        self.pane.back()
        self.refresh_bindings()

    def action_tab(self, number: int) -> None:
        self.query_one(TabbedContent).active = f"tab-{number}"

    def action_move(self, step: int) -> None:
        number = int(self.query_one(TabbedContent).active.partition("-")[2]) + step
        self.action_tab((number - 1) % len(TABS) + 1)

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
