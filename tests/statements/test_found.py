"""Every statement is found, wherever it stands: what is proven of those that are found is proven of all."""

import json
import subprocess
import sys

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.statements import found

# In a process of its own, as a module is imported once: where statements are made, and which of them were not found.
COUNTED = """
import ast, json, sys
from pathlib import Path
from gameshelf.kernel import database

made, ran = [], set()
make = database.Statement.__init__

def counted(self, core):
    frame, where = sys._getframe(1), ""
    while frame:
        ran.add((frame.f_code.co_filename, frame.f_lineno))
        if not where and not frame.f_globals.get("__name__", "").startswith("gameshelf.kernel"):
            where = frame.f_globals.get("__name__", "")
        frame = frame.f_back
    made.append((where, self))
    make(self, core)

database.Statement.__init__ = counted
from gameshelf.devstack.statements.found import PACKAGES, found, modules

kept = {id(statement) for package in PACKAGES for statement in found(package).values()}
lost = [f"{where}: {one.sql}" for where, one in made if id(one) not in kept]
dead = []
for module in (module for package in PACKAGES for module in modules(package)):
    for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Statement":
            if not any((module.__file__, line) in ran for line in range(node.lineno, node.end_lineno + 1)):
                dead.append(module.__name__)
print(json.dumps({"lost": lost, "dead": dead, "made": len(made)}))
"""
# The export of a user makes a statement per table, when the first user is exported.
MADE_LATER = {"gameshelf.gateway.runtime.support.export", "gameshelf.gateway.runtime.support.export_tables"}


@pytest.mark.long
def test_every_statement_is_found(statements):
    counted = subprocess.run(
        [sys.executable, "-c", COUNTED], check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    result = json.loads(counted.stdout)
    assert result["lost"] == [], "these stand where nothing looks for them"
    assert set(result["dead"]) - MADE_LATER == set(), "statements are made at import, or by a function with a cache"
    assert result["made"] == len(statements)


def test_every_statement_compiles(statements):
    """A service compiles a statement when it is used first, which may be long after its start."""
    early = {name: statement.columns for name, statement in statements.items()}
    for name, statement in statements.items():
        assert statement.sql, name
    assert {name: statement.columns for name, statement in statements.items()} == early


def test_names_show_where_a_statement_stands():
    assert "library._family.store.links._LOCK_LINK" in found("gameshelf.library")
    assert "library._store.erasure.ERASURE 1" in found("gameshelf.library")
    assert len({name for name in found("gameshelf.library") if name.startswith("library._queries.library._page")}) > 50
