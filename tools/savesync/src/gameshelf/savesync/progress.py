"""Progress on a terminal: bars for bytes that move, a line for anything else. Elsewhere nothing is shown."""

from types import TracebackType

from gameshelf.savesync.output import visible
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text


class ShownProgress:
    """Shows what a synchronisation does, on standard error. A context manager."""

    def __init__(self, console: Console, *, is_shown: bool = True) -> None:
        self._console = console
        self._is_shown = is_shown and console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            console=console,
            transient=True,
            disable=not self._is_shown,
        )
        self._applying: TaskID | None = None

    def __enter__(self) -> "ShownProgress":
        self._bars.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """Shows a line."""
        if self._is_shown:
            self._console.print(Text(visible(text), style="dim"))

    def transfer(self, title: str) -> "TransferBar":
        """A bar for an upload or a download."""
        return TransferBar(self._bars, title)

    def applied(self, done: int, total: int) -> None:
        """Shows how many steps of an apply are done."""
        if self._applying is None:
            self._applying = self._bars.add_task("applying", total=total)
        self._bars.update(self._applying, completed=done, total=total)

    def pause(self) -> None:
        """Removes the bars while somebody is asked."""
        self._bars.stop()

    def resume(self) -> None:
        """Shows the bars again."""
        self._bars.start()


class TransferBar:
    """One bar. It appears with the first bytes that are expected."""

    def __init__(self, bars: Progress, title: str) -> None:
        self._bars, self._title = bars, title
        self._task: TaskID | None = None
        self._total = 0

    def expect(self, size: int) -> None:
        """Adds bytes that are to be transferred."""
        if not size and self._task is None:
            return
        self._total += size
        if self._task is None:
            self._task = self._bars.add_task(self._title, total=self._total)
        self._bars.update(self._task, total=self._total)

    def advance(self, size: int) -> None:
        """Adds bytes that were transferred; a negative number takes some back."""
        if self._task is None:
            self._task = self._bars.add_task(self._title, total=None)
        self._bars.advance(self._task, size)
