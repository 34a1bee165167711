"""Progress on a terminal: bars for bytes that move, a line for anything else. Elsewhere nothing is shown."""

from dataclasses import dataclass
from types import TracebackType

from gameshelf.savesync.amounts import size_text
from gameshelf.savesync.output import visible
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text


class ShownProgress:
    """Shows what a synchronisation does, on standard error, until something else is written. A context manager."""

    def __init__(self, console: Console, *, is_shown: bool = True) -> None:
        self._console = console
        self._is_shown = is_shown and console.is_terminal
        self._bars: Progress | None = None
        self._applying: _Bar | None = None

    def __enter__(self) -> "ShownProgress":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.clear()

    def say(self, text: str) -> None:
        """Shows a line."""
        if self._is_shown:
            self._console.print(Text(visible(text), style="dim"))

    def transfer(self, title: str) -> "TransferBar":
        """A bar for an upload or a download."""
        return TransferBar(self, title)

    def applied(self, done: int, total: int) -> None:
        """Shows how many steps of an apply are done."""
        if self._applying is None:
            self._applying = self.add("applying", total, is_steps=True)
        self._applying.set(completed=done, total=total)

    def add(self, title: str, total: int | None, *, is_steps: bool = False) -> "_Bar":
        """Adds a bar of bytes or of steps."""
        if self._bars is None:
            self._bars = self._new_bars()
            self._bars.start()
        return _Bar(self._bars, self._bars.add_task(title, total=total, is_steps=is_steps))

    def clear(self) -> None:
        """Removes the bars: what is written next begins a line of its own."""
        if self._bars is not None:
            self._bars.stop()
        # Bars that are shown later are others: those of before would erase the lines that were written since.
        self._bars = self._applying = None

    def _new_bars(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Amount(),
            console=self._console,
            transient=True,
            disable=not self._is_shown,
            # Output waits for ``clear``, and into a pipe beside the terminal goes nothing of the bars.
            redirect_stdout=False,
            redirect_stderr=False,
        )


@dataclass(frozen=True, slots=True)
class _Bar:
    bars: Progress
    task: TaskID

    def set(self, *, advance: int | None = None, completed: int | None = None, total: int | None) -> None:
        self.bars.update(self.task, advance=advance, completed=completed, total=total)


class TransferBar:
    """One bar. It appears with the first bytes that are expected."""

    def __init__(self, shown: ShownProgress, title: str) -> None:
        self._shown, self._title = shown, title
        self._bar: _Bar | None = None
        self._total = 0

    def expect(self, size: int) -> None:
        """Adds bytes that are to be transferred."""
        if not size and self._bar is None:
            return
        self._total += size
        if self._bar is None:
            self._bar = self._shown.add(self._title, self._total)
        self._bar.set(total=self._total)

    def advance(self, size: int) -> None:
        """Adds bytes that were transferred; a negative number takes some back."""
        if self._bar is None:
            self._bar = self._shown.add(self._title, None)
        self._bar.set(advance=size, total=self._total or None)


class _Amount(ProgressColumn):
    """How much is done, in the units of all other output; steps are no bytes."""

    def render(self, task: Task) -> Text:
        if task.fields["is_steps"]:
            return Text(f"{task.percentage:.0f} %")
        done, speed = size_text(int(task.completed)), task.finished_speed or task.speed
        of_all = f" of {size_text(int(task.total))}" if task.total else ""
        return Text(f"{done}{of_all}{f', {size_text(int(speed))}/s' if speed else ''}")
