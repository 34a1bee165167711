"""The kinds by which a listing can be narrowed, to choose one."""

from typing import ClassVar

from gameshelf.libctl.output import visible
from gameshelf.libctl.tui.listing import Narrowing, called
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

_ALL = "all kinds"


class ChoiceList(ModalScreen[str | None]):
    """Shows all kinds; the one that is chosen is its result, "" for all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,f", "dismiss(None)", "Close")]

    def __init__(self, narrowing: Narrowing) -> None:
        super().__init__()
        self._choices = ("", *narrowing.choices)
        self._chosen = narrowing.chosen

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text("Enter shows only this kind, Esc closes.", "bold"))
            yield OptionList(*(Option(Text(visible(called(one) or _ALL))) for one in self._choices))

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._choices.index(self._chosen)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index])
