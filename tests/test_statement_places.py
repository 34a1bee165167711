"""SQL stands where it is looked for: in ``store`` (writing) and ``queries`` (reading) of each domain package.

The kernel's helpers are an exception. The gateway's runtime keeps its statements beside the code that runs them.
"""

import ast
from pathlib import Path
from typing import TypeGuard

from gameshelf.devstack.source_tree import parse_source

ROOT = Path(__file__).parents[1]
PLACES = {"store", "queries"}


def _is_in_place(path: Path) -> bool:
    return not PLACES.isdisjoint(part.lstrip("_") for part in path.with_suffix("").parts)


def _makes_a_statement(node: ast.AST) -> TypeGuard[ast.Call]:
    match node:
        case ast.Call(func=ast.Name("Statement") | ast.Attribute(attr="Statement")):
            return True
    return False


def test_statements_of_packages_stand_in_store_and_queries():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in sorted(ROOT.glob("packages/*/src/gameshelf/*"))
        if package.name != "kernel"
        for path in sorted(package.rglob("*.py"))
        if not _is_in_place(path.relative_to(package))
        for node in ast.walk(parse_source(path.read_text(encoding="utf-8")))
        if _makes_a_statement(node)
    ]
    assert found == []
