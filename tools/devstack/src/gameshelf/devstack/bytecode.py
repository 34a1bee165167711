"""The bytecode of the tree, made once before a test run.

The workers of a run, and the processes that they fork services from, import the same 1,600 files at the same moment. In
a new checkout each of them would compile all of these, and rewrite the assertions of the tests among them.
"""

import compileall
import importlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PROCESSES = 2
_FOLDERS = ("packages", "services", "tools", "clients", "protos", "bench", "tests")
_OF_TESTS = ("test_*.py", "conftest.py")
"""The files whose assertions pytest rewrites."""


def make(root: Path) -> None:
    """Makes what most of the test modules lack. An error in a file is left to the run itself, which shows it."""
    tests = [path for path in _files(root) if _is_test(path)]
    if sum(map(_is_made, tests)) > len(tests) / 2:
        return
    command = [sys.executable, "-m", "gameshelf.devstack.bytecode", str(root)]
    shares = [subprocess.Popen([*command, str(share)]) for share in range(PROCESSES)]
    for process in shares:
        process.wait()


def make_of(files: Sequence[Path]) -> None:
    """Makes the bytecode of files that have none, or an older one."""
    for path in files:
        if not _is_test(path):
            compileall.compile_file(path, quiet=2)
        elif not _is_made(path):
            _rewrite(path)


def _files(root: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


def _is_test(path: Path) -> bool:
    return any(map(path.match, _OF_TESTS))


def _is_made(path: Path) -> bool:
    made = _place(path)
    return made.exists() and made.stat().st_mtime >= path.stat().st_mtime


def _place(path: Path) -> Path:
    """Where pytest looks for the bytecode of a test module."""
    rewrite = _pytests()
    place: Path = rewrite.get_cache_dir(path) / (path.stem + rewrite.PYC_TAIL)
    return place


def _rewrite(path: Path) -> None:
    """Writes what pytest writes when it imports the module."""
    rewrite, unheard = _pytests(), SimpleNamespace(trace=lambda message: None)
    try:
        source_hash, code = rewrite._rewrite_test(path, None)
    except (SyntaxError, ValueError):
        return
    place = _place(path)
    place.parent.mkdir(exist_ok=True)
    rewrite._write_pyc(unheard, code, source_hash, place)


@cache
def _pytests() -> Any:
    """The module of pytest that does this. It is private: pytest has no public function for it."""
    return importlib.import_module("_pytest.assertion.rewrite")


if __name__ == "__main__":
    make_of(list(_files(Path(sys.argv[1])))[int(sys.argv[2]) :: PROCESSES])
