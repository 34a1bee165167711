"""Processes that the fixtures of the tests start end with the test; and the order in which a run begins its modules."""

import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import Service, ends_services, wait_for


class Sleeping(Service):
    def _run(self, command):
        return Process([sys.executable, "-c", "import time; time.sleep(600)"], self.log)


def test_a_failing_test_leaves_no_service_behind(tmp_path):
    shared, own = Sleeping(tmp_path, {}), Sleeping(tmp_path, {})
    shared.start(wait=False)
    try:
        try:
            with ends_services():
                own.start(wait=False)
                raise RuntimeError
        except RuntimeError:
            assert own.process.returncode is not None
        assert shared.process.returncode is None
    finally:
        shared.kill()


def test_a_service_that_outlives_its_test_lasts_after_a_restart_too(tmp_path):
    shared = Sleeping(tmp_path, {})
    try:
        with ends_services():
            shared.start(wait=False, outlives_test=True)
        assert shared.process.returncode is None
        with ends_services():
            shared.kill()
            shared.start(wait=False)
        assert shared.process.returncode is None
    finally:
        shared.kill()


KILLED = """
import os, sys, time
from pathlib import Path
from gameshelf.devstack.forked import ForkedService

if __name__ == "__main__":
    print(ForkedService("serve", Path(sys.argv[1]), os.environ).pid, flush=True)
    time.sleep(600)
"""


def is_running(pid):
    """Whether a process runs: one that has ended may wait for its parent to notice."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_run_leaves_no_service_behind(tmp_path, create_platform):
    platform, script = create_platform(), tmp_path / "killed.py"
    service = platform.service()
    script.write_text(KILLED)
    command = [sys.executable, script, tmp_path / "log"]
    try:
        with subprocess.Popen(command, env=service.environment, stdout=subprocess.PIPE, text=True) as run:
            try:
                pid = run.stdout.readline().strip()
                wait_for(service.is_ready)
                assert is_running(pid)
            finally:
                run.kill()
        wait_for(lambda: not is_running(pid))
    finally:
        platform.close()


MODULES = {
    "test_quick.py": "def test_it():\n    pass\n",
    "test_long.py": "@pytest.mark.long\ndef test_it():\n    pass\n",
    "test_longer.py": "@pytest.mark.long(minutes=2)\ndef test_it():\n    pass\n",
    "test_longest.py": "@pytest.mark.long(minutes=1)\n@pytest.mark.parametrize('n', (1, 2, 3))\n"
    "def test_it(n):\n    pass\n",
}


def collected(folder, *options):
    """The modules of a run, in the order in which it begins them."""
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["long: takes long"]\n')
    for name, text in MODULES.items():
        (folder / name).write_text(f"import pytest\n\n\n{text}")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return list(dict.fromkeys(line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line))


def test_a_whole_run_begins_with_what_takes_the_most_minutes(tmp_path):
    for seed in range(3):
        order = collected(tmp_path, "--all", f"--randomly-seed={seed}")
        assert order == ["test_longest.py", "test_longer.py", "test_long.py", "test_quick.py"]


def test_the_usual_run_has_no_long_tests(tmp_path):
    assert collected(tmp_path) == ["test_quick.py"]
