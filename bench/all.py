"""The suite: runs the scenarios one after the other, and writes the results and the page with tables and plots.

Each scenario has rounds that alternate with its floor. The results are bench/results.json, of which the page
docs/performance.md and its plots are made; `--render` only makes these again.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.devstack.measurements import Figure, MeasuredOn, Results, read_figures
from gameshelf.devstack.measurements.page import render_page
from gameshelf.devstack.measurements.plots import plots_of

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
RESULTS = HERE / "results.json"
TEMPLATE = HERE / "performance.md.template"

_SHORT, _LONG = ("pages", "writes", "purchases", "start", "cold", "limits"), ("heartbeats", "wishlist_sale", "memory")
SCENARIOS = {**dict.fromkeys((*_SHORT, *_LONG), ()), "heartbeats": ("--seconds=600",)}
QUICK: dict[str, tuple[str, ...]] = {
    "pages": ("--users=50", "--seconds=2"),
    "writes": ("--users=50", "--seconds=2", "--rates", "100"),
    "purchases": ("--purchases=4000", "--users=2000"),
    "cold": ("--users=2000", "--seconds=2"),
    "limits": ("--users=5000", "--seconds=2", "--rate=20"),
    "heartbeats": ("--players=50000", "--rate=2000", "--seconds=5"),
    "wishlist_sale": ("--wishers=20000", "--quiet-seconds=3"),
    "memory": ("--seconds=30", "--sockets=20"),
}
"""Options of a scenario with `--quick`."""
BEFORE: dict[str, tuple[str, ...]] = {
    "pages": ("--rounds=3",),
    "writes": ("--rounds=3",),
    "purchases": ("--rounds=3",),
    "start": (),
    "heartbeats": ("--seconds=60",),
    "wishlist_sale": ("--wishers=200000",),
    "memory": ("--seconds=120",),
}
"""Scenarios that `--before` repeats, with their options."""
BETWEEN_SECONDS = 2
"""What one scenario has left behind, such as its folder, does not slow the next one."""


def measure(options: argparse.Namespace, folder: Path) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """Runs every scenario, or only some. Returns the figures of this version, and those of the one before."""
    figures: list[Figure] = []
    before: list[Figure] = []
    for name, usual in SCENARIOS.items():
        if options.only and name not in options.only:
            continue
        quick = QUICK.get(name, ()) if options.quick else ()
        given = [f"--rounds={options.rounds}"] if options.rounds else []
        figures += run(name, folder, *usual, *quick, *given)
        if options.before and name in BEFORE:
            before += run(name, folder, *BEFORE[name], *quick, *given, f"--checkout={options.before}")
    return tuple(figures), tuple(before)


def run(name: str, folder: Path, *options: str) -> tuple[Figure, ...]:
    """Runs one scenario. Its own message says what is wrong if it fails."""
    print(f"\n{' '.join((name, *options))}", flush=True)
    path = folder / f"{name}.json"
    command = [sys.executable, str(HERE / f"{name}.py"), f"--json={path}", *options]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"{name} failed")
    time.sleep(BETWEEN_SECONDS)
    return read_figures(path)


def machine(load: float) -> MeasuredOn:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return MeasuredOn(
        processor=found[0].partition(": ")[2] if found else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=round(load, 1),
    )


def commit(checkout: Path) -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def render() -> None:
    """Makes the page and its plots of the results."""
    results = Results.model_validate_json(RESULTS.read_bytes())
    plots = plots_of(results)
    folder = DOCS / "performance"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, plot in plots.items():
        (folder / name).write_text(plot, encoding="utf-8")
    page = render_page(results, TEMPLATE.read_text(encoding="utf-8"), [f"performance/{name}" for name in plots])
    (DOCS / "performance.md").write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench all", description=__doc__)
    parser.add_argument("--rounds", type=int, help="runs of each, in turn (each scenario has its own number)")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter runs")
    parser.add_argument("--only", action="append", choices=SCENARIOS, default=[], help="only this one; may be repeated")
    parser.add_argument("--note", default="", help="what a reader of the figures has to know")
    parser.add_argument("--render", action="store_true", help="measure nothing, make the page of the last results")
    parser.add_argument(
        "--before", type=Path, help="checkout of a version before, whose service is measured after this one's"
    )
    options = parser.parse_args()
    if options.before and not (options.before / "services" / "gateway").is_dir():
        parser.error("--before: name the root of a checkout")
    before_commit = commit(options.before) if options.before else ""
    if not options.render:
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as folder:
            figures, before = measure(options, Path(folder))
        given = [f"--rounds {options.rounds}"] if options.rounds else []
        given += [f"--only {name}" for name in options.only]
        given += ["--before CHECKOUT"] if options.before else []
        results = Results(
            taken=datetime.now(UTC).date().isoformat(),
            commit=commit(HERE),
            command=" ".join(["./dev bench all", *given, *(["--quick"] if options.quick else [])]),
            note=options.note or "Nothing else ran on the machine.",
            machine=machine(load),
            figures=figures,
            before=before,
            commit_before=before_commit,
            options_before={name: " ".join(given) for name, given in BEFORE.items() if given and options.before},
        )
        RESULTS.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
    render()


if __name__ == "__main__":
    main()
