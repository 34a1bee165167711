import ast
import gc

import pytest
from gameshelf.devstack.source_tree import parse_source

SOURCE = "\n".join(f"def f{number}(a):\n    return [a, {{'x': (a, {number})}}]" for number in range(200))


@pytest.fixture
def collections():
    """Collections that are due all the time, each of which parses, as one that formats a traceback does."""
    found = []

    def parses(phase, _):
        found.append(ast.parse("x = 1"))

    thresholds = gc.get_threshold()
    gc.callbacks.append(parses)
    gc.set_threshold(1)
    yield found
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(parses)


def test_no_collection_comes_into_a_parse(collections):
    before = len(collections)
    tree = parse_source(SOURCE)
    assert len(tree.body) == 200
    assert len(collections) - before < 20  # those of the lines around it


def test_collections_continue_after_a_parse_and_a_failure():
    with pytest.raises(SyntaxError):
        parse_source("def")
    assert gc.isenabled()
    gc.disable()
    try:
        parse_source(SOURCE)
        assert not gc.isenabled()
    finally:
        gc.enable()
