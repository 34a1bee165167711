"""The page of performance: a pure function from the results and a template to Markdown."""

from collections.abc import Sequence
from string import Template
from textwrap import fill

from gameshelf.devstack.measurements.figures import Figure, Results
from gameshelf.devstack.measurements.targets import TARGETS

_MISSING = "not in this run"


def render_page(results: Results, template: str, plots: Sequence[str]) -> str:
    """Returns the page. ``plots`` are the names of the pictures beside it.

    Raises KeyError where the template wants what there is not.
    """
    on = results.machine
    return Template(template).substitute(
        targets=_targets(results.figures),
        figures=_table(results.figures),
        run=_wrapped(f"`{results.command}` measured this on {results.taken}, at commit {results.commit}."),
        note=_wrapped(results.note),
        machine=_wrapped(
            f"Machine: {on.processor}, {on.cores} cores, {on.memory_gib:.0f} GiB; {on.system}; Python {on.python}; "
            f"load average at the beginning {on.load:.1f}. PostgreSQL doesn't wait for the disk."
        ),
        plots="\n\n".join(f"![{name}]({name})" for name in plots),
    )


def _wrapped(paragraph: str) -> str:
    return fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _targets(figures: Sequence[Figure]) -> str:
    found = {figure.what: figure for figure in figures}
    lines = ["| what | before | to reach | after | of the floor |", "|---|---|---|---|---|"]
    for target in TARGETS:
        figure = found.get(target.what)
        after = f"{number(figure.median)} {figure.unit}" if figure else _MISSING
        ratio = _ratio(figure) if figure else ""
        lines.append(f"| {target.what} | {target.before} | {target.wanted} | {after} | {ratio} |")
    return "\n".join(lines)


def _table(figures: Sequence[Figure]) -> str:
    lines = [
        "| what | unit | median | least to greatest | rounds | floor | median of it | of the floor |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for figure in figures:
        least, greatest = figure.spread
        floor = "" if figure.floor_median is None else number(figure.floor_median)
        what = f"{figure.what} ({figure.remark})" if figure.remark else figure.what
        lines.append(
            f"| {what} | {figure.unit} | {number(figure.median)} | {number(least)} to {number(greatest)} "
            f"| {len(figure.rounds)} | {figure.floor_name} | {floor} | {_ratio(figure)} |"
        )
    return "\n".join(lines)


def _ratio(figure: Figure) -> str:
    return "" if figure.ratio is None else f"{figure.ratio:.2f}"


def number(value: float) -> str:
    """Three digits are more than a benchmark knows: ``2,423``, ``64.2``, ``0.74``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
