"""Every column that a command prints is named by a test that reads its table from a real server's answer."""

import ast
from pathlib import Path

import gameshelf.libctl

HERE = Path(__file__).parent
SOURCE = Path(gameshelf.libctl.__file__).parent
HELPER = "shown_tables"


def columns(path):
    """The headings of the tables that a file draws."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name == "Column":
            yield from _texts(node.args[0])
        elif name == "table" and isinstance(node.args[0], ast.List):
            for one in node.args[0].elts:
                yield from _texts(one)


def _texts(node):
    """The heading; both, where there is one or the other."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and node.value:
        yield node.value


def expected():
    """The texts in the lists of the tests that read tables."""
    for path in [*(HERE / "service").rglob("test_*.py"), *(HERE / "database").rglob("test_*.py")]:
        text = path.read_text(encoding="utf-8")
        if HELPER in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.List):
                    yield from (one.value for one in node.elts if isinstance(one, ast.Constant))


def test_every_column_is_named_by_a_test_that_reads_its_table():
    named = set(expected())
    files = [path for path in SOURCE.rglob("*.py") if "tui" not in path.relative_to(SOURCE).parts]
    drawn = {(str(path.relative_to(SOURCE)), column) for path in files for column in columns(path)}
    assert len(drawn) > 100
    assert sorted(one for one in drawn if one[1] not in named) == []
