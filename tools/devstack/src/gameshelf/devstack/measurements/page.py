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
        targets=_targets(results),
        before=_wrapped(_before(results)),
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


def _before(results: Results) -> str:
    if not results.before:
        return "The version before was not measured in this run."
    shorter = ", ".join(f"`{name} {options}`" for name, options in results.options_before.items())
    return (
        f'"Before" is commit {results.commit_before}, measured in the same run: after each scenario its service had '
        "new servers of the same kind, with the tables of this version. "
        f"Some scenarios were shorter or smaller: {shorter}."
    )


def _targets(results: Results) -> str:
    after, before = ({figure.what: figure for figure in part} for part in (results.figures, results.before))
    lines = [
        "| what | on 2026-11-26 | before | before, of the floor | to reach | after | after, of the floor |",
        "|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        cells = (*_measured(before.get(target.what)), target.wanted, *_measured(after.get(target.what)))
        lines.append(f"| {target.what} | {target.before} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _measured(figure: Figure | None) -> tuple[str, str]:
    return (f"{number(figure.median)} {figure.unit}", _ratio(figure)) if figure else (_MISSING, "")


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
