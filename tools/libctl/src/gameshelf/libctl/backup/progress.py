"""The progress of a long command: bars on a terminal, plain lines elsewhere. Always on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gameshelf.libctl.output import Output
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_SECONDS_BETWEEN_LINES = 10.0


class Steps:
    """Announces each step when it begins, so that the output shows which step an interruption stopped."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._progress: Progress | None = None

    def say(self, text: str, style: str = "") -> None:
        self._out.say(text, style)

    @contextmanager
    def bars(self) -> Iterator[None]:
        """Around steps that run at the same time."""
        if not self._out.talk.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._out.talk) as self._progress:
            try:
                yield
            finally:
                self._progress = None

    def counting(self, text: str, total: int, unit: str) -> Callable[[], None]:
        """Begins a step of so many units; the result is called for each that is done."""
        if self._progress:
            progress, task = self._progress, self._progress.add_task(text, total=total)
            return lambda: progress.advance(task)
        self.say(f"{text}: {total} {unit}")
        done, reported = 0, time.monotonic()

        def advance() -> None:
            nonlocal done, reported
            done += 1
            if time.monotonic() - reported > _SECONDS_BETWEEN_LINES:
                reported = time.monotonic()
                self.say(f"{text}: {done} of {total} {unit}")

        return advance
