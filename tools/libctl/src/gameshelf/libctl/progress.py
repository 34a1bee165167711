"""What long work says while it goes on: a line that moves on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gameshelf.libctl.output import Output, visible
from rich.text import Text

_EVERY_SECONDS = 5.0


@contextmanager
def progress(out: Output, what: str) -> Iterator[Callable[[str], None]]:
    """While the block runs, tells how far ``what`` has come; the block calls what it gets with the words for it."""
    if out.talk.is_terminal:
        with out.talk.status(Text(visible(what))) as status:
            yield lambda told: status.update(Text(visible(f"{what}: {told}")))
        return
    last = time.monotonic()

    def tell(told: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            out.say(f"{what}: {told}")

    yield tell
"""How far long work is, on standard error: a bar on a terminal, else a line now and then."""
from types import TracebackType
from typing import Self
from gameshelf.libctl.output import Output
from rich import progress
_SECONDS = 5.0
class Progress:
    """``with Progress(out, "rows") as bar: bar.at(5, 100)``. A total of 0 means that it isn't known."""
    def __init__(self, out: Output, what: str) -> None:
        self._out, self._what = out, what
        self._said = time.monotonic()
        self._bar: progress.Progress | None = None
        if out.talk.is_terminal:
            columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn())
            self._bar = progress.Progress(*columns, console=out.talk, transient=True)
            self._task = self._bar.add_task(what, total=None)
    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
    def at(self, done: int, total: int) -> None:
        """So far it is."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total or None)
        elif time.monotonic() - self._said >= _SECONDS:
            self._said = time.monotonic()
            self._out.say(f"{self._what}: {done}" + (f" of {total}" if total else ""))
