"""The progress of long work: one changing line on a terminal, a line every few seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gameshelf.libctl.output import Output, visible
from rich.text import Text

_EVERY_SECONDS = 5.0


@contextmanager
def progress(out: Output, what: str) -> Iterator[Callable[[str], None]]:
    """Reports the progress of ``what`` while the block runs. The block gets a function that takes the text to show."""
    if out.talk.is_terminal:
        with out.talk.status(Text(visible(what))) as status:
            yield lambda text: status.update(Text(visible(f"{what}: {text}")))
        return
    last = time.monotonic()

    def report(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            out.say(f"{what}: {text}")

    yield report


@contextmanager
def bar(out: Output, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Reports the progress of ``total`` steps, with the time that is left. The block gets a function to call after each
    step.
    """
    done = 0
    if out.talk.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=out.talk, transient=True) as drawn:
            task = drawn.add_task(visible(what), total=total)
            yield lambda: drawn.advance(task)
        return
    with progress(out, what) as report:

        def step() -> None:
            nonlocal done
            done += 1
            report(f"{done:,} of {total:,}")

        yield step
