"""`./dev bench cold` on a small database that it makes: its figures have the names that the page of performance has."""

import subprocess
import sys
from pathlib import Path

import pytest
from cold import chosen
from gameshelf.devstack.measurements import read_figures
from gameshelf.devstack.measurements.targets import TARGETS

SCRIPT = Path(__file__).parents[2] / "bench" / "cold.py"


def test_no_user_is_asked_for_in_two_rounds():
    rounds = chosen(1, 1000, 4, 250)
    assert [len(set(one)) for one in rounds] == [250] * 4
    assert len(set().union(*rounds)) == 1000


def test_the_users_are_the_same_each_time_and_at_random():
    assert chosen(1, 10_000, 1, 20) == chosen(1, 10_000, 1, 20) != chosen(2, 10_000, 1, 20)


@pytest.mark.long(minutes=2)
def test_cold_pages_are_measured_beside_their_floor(tmp_path):
    path = tmp_path / "figures.json"
    options = ("--users", "300", "--rounds", "1", "--seconds", "0.5", "--json", str(path))
    run = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    p50, p95 = read_figures(path)
    assert p95.what in {target.what for target in TARGETS}
    assert 0 < p50.median <= p95.median
    assert 0 < p50.floor_median <= p95.floor_median
    assert p95.remark == "of 300 users"
