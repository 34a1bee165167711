"""The commands that belong to a row, to be copied."""

from collections.abc import Sequence
from typing import ClassVar

from gameshelf.libctl.output import visible
from gameshelf.libctl.tui.listing import Suggested
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class CommandList(ModalScreen[str | None]):
    """Shows commands; the one that is chosen is its result."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,c", "dismiss(None)", "Close")]

    def __init__(self, commands: Sequence[Suggested], options: Sequence[str]) -> None:
        super().__init__()
        self._commands, self._lines = commands, [one.line(options) for one in commands]

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text("Enter copies a command. A change is a dry run until you add --apply.", "bold"))
            yield OptionList(
                *(
                    Option(Text(f"{one.purpose}\n", "dim").append(visible(line), "not dim"))
                    for one, line in zip(self._commands, self._lines, strict=True)
                )
            )
            printed = "" if self.app.is_web else " Those that were copied are printed when you quit."
            yield Static(Text(f"Esc closes.{printed}", "dim"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._lines[event.option_index])
