"""Which tests a run leaves out, and which modules it begins and ends with.

The order is random otherwise, but a long test or a slow module that comes last would let all but one of the workers
wait for it.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # only pytest's plugin uses this module, and the package doesn't need pytest
    import pytest

_OF_SLOW_TESTS = {"server_directory", "tmp_path_factory"}
"""Fixtures behind those for servers, and for files of a test's own."""


def begin_with_the_longest(items: "list[pytest.Item]") -> None:
    """Puts modules with tests that are marked ``long`` first, and before them those with the most ``minutes``."""
    long = [item for item in items if item.get_closest_marker("long")]
    first = {item.path for item in long}
    minutes: Counter[Path] = Counter()
    for item in long:
        minutes[item.path] += sum(mark.kwargs.get("minutes", 0) for mark in item.iter_markers("long"))
    items.sort(key=lambda item: (-minutes[item.path], item.path not in first))


def leave_out_long_ones(config: "pytest.Config", items: "list[pytest.Item]") -> None:
    """Leaves out what is marked ``long``, but for a test that is named on the command line."""
    named = {argument.partition("[")[0].rpartition("::")[2] for argument in config.args if "::" in argument}
    left_out = {item for item in items if item.get_closest_marker("long") and _function_name(item) not in named}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def end_with_quick_ones(items: "list[pytest.Item]") -> None:
    """Puts half of the modules without servers and folders last."""
    slow = {item.path for item in items if not _OF_SLOW_TESTS.isdisjoint(getattr(item, "fixturenames", ()))}
    quick = [path for path in dict.fromkeys(item.path for item in items) if path not in slow]
    last = set(quick[::2])
    items.sort(key=lambda item: item.path in last)


def _function_name(item: "pytest.Item") -> str:
    return item.name.partition("[")[0]
