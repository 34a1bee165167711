"""`./dev bench limits` on a small database that it makes: each kind of request is answered, beside its floor."""

import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.measurements import read_figures
from limits import KINDS

SCRIPT = Path(__file__).parents[2] / "bench" / "limits.py"


@pytest.mark.long(minutes=2)
def test_each_kind_of_request_is_measured_beside_its_floor(tmp_path):
    path = tmp_path / "figures.json"
    options = ("--users", "1500", "--rounds", "1", "--seconds", "0.1", "--json", str(path))
    run = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    figures = read_figures(path)
    assert [figure.what.partition(" of cold users")[0] for figure in figures] == [kind.name for kind in KINDS]
    assert min(min(figure.median, figure.floor_median) for figure in figures) > 0
    assert {figure.remark.partition(";")[0] for figure in figures} == {"of 1,500 users"}
