"""``--watch``: a command that looks again and again, until Ctrl-C ends it."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from gameshelf.libctl.errors import ExitCode, Terminated, Unavailable
from gameshelf.libctl.output import Output
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

Look = Callable[[], tuple[Any, Sequence[RenderableType]]]
"""Reads the data once; returns it, and what is drawn of it."""


def watch_options(command: Any) -> Any:
    """Adds ``--watch`` and ``--every``; the command gets ``seconds``, None if it looks once."""

    def seconds(ctx: click.Context, _: click.Parameter, value: float) -> float | None:
        return value if ctx.params.pop("watch", False) else None

    every = click.option(
        "--every",
        "seconds",
        metavar="SECONDS",
        type=click.FloatRange(1, 3600),
        default=2.0,
        show_default=True,
        callback=seconds,
        help="Seconds between two looks of --watch.",
    )
    watch = click.option("--watch", is_flag=True, is_eager=True, help="Look again and again, until Ctrl-C.")
    return watch(every(command))


def watch(out: Output, seconds: float, look: Look) -> ExitCode:
    """Shows what a look finds in place of the one before; without a terminal below it, with ``--json`` in one line.

    A service that is unavailable is shown as such: it is watched because something is wrong.
    """
    try:
        if out.as_json or not out.out.is_terminal:
            while True:
                _add(out, look)
                time.sleep(seconds)
        with Live(console=out.out, auto_refresh=False, screen=True) as screen:
            while True:
                screen.update(Group(_heading(seconds), *_drawn(look)), refresh=True)
                time.sleep(seconds)
    except Terminated:
        raise
    except KeyboardInterrupt:
        return ExitCode.OK  # the way that it is meant to end


def _add(out: Output, look: Look) -> None:
    try:
        data, drawn = look()
    except Unavailable as error:
        out.refuse(error)
        return
    out.line(data, lambda: [Text(f"{_now()} UTC", style="dim"), *drawn, Text()])
    out.out.file.flush()


def _drawn(look: Look) -> Sequence[RenderableType]:
    try:
        return look()[1]
    except Unavailable as error:
        return [Text(f"{error.message}; looking again", style="red")]


def _heading(seconds: float) -> Text:
    return Text(f"{_now()} UTC, every {seconds:g} s; Ctrl-C ends\n", style="dim")


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
