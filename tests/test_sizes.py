"""A file and a function of the service, the packages and the tools can be read as a whole."""

import ast
from pathlib import Path

import pytest
from gameshelf.devstack.source_tree import parse_source

ROOT = Path(__file__).parents[1]
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 65
GENERATED = {f"clients/python/src/gameshelf/client/{name}.py" for name in ("messages", "operations", "schemas")}


def sources():
    for path in sorted(ROOT.glob("*/*/src/**/*.py")):
        # A first migration creates all tables of its schema in one function, and never changes again.
        if "versions" not in path.parts and path.relative_to(ROOT).as_posix() not in GENERATED:
            yield path


@pytest.fixture(scope="module")
def texts():
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sources()}


def test_no_file_is_too_long(texts):
    lines = {str(path): len(text.splitlines()) for path, text in texts.items()}
    assert len(lines) > 300
    assert {path: count for path, count in lines.items() if count > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long(texts):
    functions = {
        f"{path}: {node.name}": node.end_lineno - node.lineno + 1
        for path, text in texts.items()
        for node in ast.walk(parse_source(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name for name, count in functions.items() if count > MOST_LINES_OF_A_FUNCTION} == set()
