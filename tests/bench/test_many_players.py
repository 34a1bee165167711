"""`./dev bench many-players` on a short list: libctl changes and undoes it while other requests are answered."""

import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.measurements import read_figures

SCRIPT = Path(__file__).parents[2] / "bench" / "many_players.py"


@pytest.mark.long(minutes=1)
def test_a_batch_is_measured_beside_other_requests(tmp_path):
    path = tmp_path / "figures.json"
    options = ("--players", "60", "--batch-rate", "30", "--quiet-seconds", "1", "--json", str(path))
    run = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    figures = read_figures(path)
    assert len(figures) == 6
    for figure in figures:
        assert figure.median > 0
        assert figure.floor_median > 0
