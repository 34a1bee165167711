"""Processes that the fixtures of the tests start end with the test."""

import sys

from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import Service, ends_services


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
