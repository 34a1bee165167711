"""Bars and sparklines: numbers for eyes, in the characters of a terminal.

They are ASCII where the output is not in UTF-8. Colours only repeat what the lengths and the numbers beside them say,
so that nothing is lost in a pipe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_LEAST = 0.005
"""The least share that is 1% when it is rounded."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A share, from 0 to 1, of ``width`` columns."""

    share: float
    width: int
    style: str = "cyan"
    has_track: bool = False
    """Draws the rest as well: for the share of a limit or a target."""
    before: str = ""
    after: str = ""

    def text(self, *, is_ascii: bool = False) -> Text:
        share = min(max(self.share, 0.0), 1.0)
        drawn = Text(self.before, no_wrap=True, justify="left")
        if self.has_track:
            full, rest = ("#", ".") if is_ascii else ("█", "░")
            count = _rounded(share, self.width)
            drawn.append(full * count, self.style).append(rest * (self.width - count), "dim")
        else:
            drawn.append(_ascii(share, self.width) if is_ascii else _eighths(share, self.width), self.style)
        return drawn.append(self.after)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = len(self.before) + self.width + len(self.after)
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text(is_ascii=options.ascii_only)


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Values in the order of time, one column each. Nothing is a dot, so that it differs from little."""

    values: Sequence[float]
    style: str = "cyan"

    def text(self, *, is_ascii: bool = False) -> Text:
        most = max(self.values, default=0)
        drawn = Text(no_wrap=True)
        for value in self.values:
            if value <= 0:
                drawn.append("." if is_ascii else "·", "dim")
            else:
                level = min(int(value / most * len(_LEVELS)), len(_LEVELS) - 1)
                drawn.append(str(level + 1) if is_ascii else _LEVELS[level], self.style)
        return drawn

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(len(self.values), len(self.values))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text(is_ascii=options.ascii_only)


def sparklines(rows: Iterable[tuple[str, Sequence[float], str]]) -> Table:
    """Sparklines below each other, each between its name and what it says in words."""
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, values, said in rows:
        drawn.add_row(Text(name), Sparkline(values), Text(said))
    return drawn


def below(value: str, bar: Bar) -> Group:
    """A cell of a value and its bar, where they would not fit side by side."""
    return Group(Text(value), bar)


def share_of(part: float, whole: float) -> float:
    """Returns a share that can be drawn, also where there is no whole."""
    return part / whole if whole > 0 else 0.0


def _rounded(share: float, width: int) -> int:
    """Only what is complete looks complete, and what is a percent or more does not look like nothing."""
    count = round(share * width)
    if _LEAST <= share < 1 and width > 1:
        return min(max(count, 1), width - 1)
    return count


def _eighths(share: float, width: int) -> str:
    count = max(round(share * width * 8), 1) if share else 0
    return ("█" * (count // 8) + _EIGHTHS[count % 8]).rstrip()


def _ascii(share: float, width: int) -> str:
    return "#" * (max(round(share * width), 1) if share else 0)
