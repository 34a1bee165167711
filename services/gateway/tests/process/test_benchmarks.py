"""Scenarios of ``./dev bench all``, in small: they measure what they say, and find nothing wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack import run_templates
from gameshelf.devstack.measurements import read_figures

WRITES = ("PUT /settings", "POST /wishlist/items")
BENCH = Path(__file__).parents[4] / "bench"


def measured(tmp_path, name, *options, environ=os.environ):
    """Returns the figures of a tiny run by their names."""
    command = [sys.executable, BENCH / f"{name}.py", f"--json={tmp_path / name}", *options]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {figure.what: figure for figure in read_figures(tmp_path / name)}


@pytest.mark.long(minutes=2)
def test_purchases_lead_to_the_rows_and_events_of_the_floor(tmp_path):
    figures = measured(tmp_path, "purchases", "--purchases=600", "--users=200", "--rounds=1", "--cores=one")
    assert {len(figure.rounds) for figure in figures.values()} == {1}
    whole = figures["purchases, one core"]
    assert whole.rounds[0] > 0
    assert whole.floor == figures["purchases, one core: the floor"].rounds


@pytest.mark.long(minutes=2)
def test_known_pages_are_measured_on_both_servers(tmp_path):
    figures = measured(tmp_path, "pages", "--users=2", "--rounds=1", "--seconds=0.2", "--connections=2")
    assert set(figures) == {"page known, Hypercorn", "page known, Granian"}
    assert all(figure.ratio > 0 for figure in figures.values())


@pytest.mark.long(minutes=3)
def test_writes_are_measured_beside_routes_that_write_the_same(tmp_path):
    options = ("--rounds=1", "--seconds=0.2", "--connections=2", "--users=2", "--rates", "20")
    figures = measured(tmp_path, "writes", *options)
    writes = {f"{call}, {server}" for call in WRITES for server in ("Hypercorn", "Granian")}
    assert set(figures) == {*writes, "unlock at 20/s, p99"}
    assert all(figure.ratio > 0 for figure in figures.values())


@pytest.mark.long(minutes=3)
def test_the_start_is_measured_beside_the_import(tmp_path):
    """As it is run by hand, and so with a migration of its own."""
    environ = {name: value for name, value in os.environ.items() if name != run_templates.VARIABLE}
    [start] = measured(tmp_path, "start", "--rounds=1", environ=environ).values()
    assert start.rounds[0] > 0
    assert start.floor[0] > 0


@pytest.mark.long(minutes=2)
def test_memory_is_measured_under_every_kind_of_load(tmp_path):
    figures = measured(tmp_path, "memory", "--seconds=2", "--sockets=2", "--pages=5", "--purchases=5")
    assert figures["memory, at most"].rounds[0] > 0
