"""An upgrade from the last release behind a load balancer, in small; ``./dev bench rolling`` is the whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.servers import haproxy

BENCH = Path(__file__).parents[4] / "bench" / "rolling.py"


@pytest.mark.long(minutes=4)
@pytest.mark.skipif(haproxy.program() is None, reason="haproxy is not installed (.ci/haproxy)")
def test_no_request_fails_and_nothing_is_done_twice_in_an_upgrade():
    command = [sys.executable, BENCH, "--requests=2000", "--players=20", "--clients=8"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 failed of " in done.stdout
