"""The bytecode that a run makes before its workers start is what pytest and the interpreter take."""

import os
import subprocess
import sys

import pytest
from gameshelf.devstack import bytecode

TEST = "from helper import ONE\n\n\ndef test_it():\n    found = [ONE]\n    assert found == [2]\n"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['tests']\n")
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "helper.py").write_text("ONE = 1\n")
    (folder / "test_one.py").write_text(TEST)
    (folder / "test_broken.py").write_text("def test_it(:\n")
    return tmp_path


def run(checkout):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_one.py"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False).stdout


def made(checkout):
    return {path.name: path.stat().st_mtime_ns for path in checkout.rglob("*.pyc")}


def test_a_run_takes_what_was_made(checkout):
    bytecode.make(checkout)
    before = made(checkout)
    assert len(before) == 2
    assert "assert [1] == [2]" in run(checkout)
    assert made(checkout) == before


def test_what_has_changed_since_is_not_taken(checkout):
    bytecode.make(checkout)
    (checkout / "tests" / "test_one.py").write_text(TEST.replace("[2]", "[3]"))
    assert "assert [1] == [3]" in run(checkout)
