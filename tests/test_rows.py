"""Rows become objects by column name, never by position: a column that is added in between changes no field silently.

``gameshelf.kernel.row_reader`` compares the columns of a statement with the fields of a dataclass when its module is
imported; it alone reads rows by position.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from gameshelf.devstack.source_tree import parse_source

ROOT = Path(__file__).parents[1]
[ROW_READER] = (ROOT / "packages/kernel/src/gameshelf/kernel").glob("*row_reader.py")
ROWS = {"row", "record", "one", "first"}
"""Names that a row has where it is read."""


def positional_reads(tree: ast.Module) -> Iterator[ast.expr]:
    """Expressions that take values of a row by their place."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=arguments) if any(_unpacks_a_row(argument) for argument in arguments):
                yield node
            case ast.Call(func=ast.Name("tuple" | "list"), args=[argument]) if _is_values_of_a_row(argument):
                yield node
            case ast.Subscript(value=ast.Name("row" | "record"), slice=place) if _is_place(place):
                yield node
            case ast.Subscript(value=ast.Subscript(value=ast.Name(), slice=outer), slice=place) if (
                isinstance(outer, ast.Constant) and isinstance(outer.value, int) and _is_place(place)
            ):
                yield node


def _unpacks_a_row(argument: ast.expr) -> bool:
    match argument:
        case ast.Starred(value=ast.Name("row" | "record")):
            return True
        case ast.Starred(value=value):
            return _is_values_of_a_row(value)
    return False


def _is_values_of_a_row(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(name), attr="values"), args=[]):
            return name in ROWS
        case ast.Call(func=ast.Attribute(value=ast.Subscript(), attr="values"), args=[]):
            return True
    return False


def _is_place(place: ast.expr) -> bool:
    """A number, also a negative one, or a slice."""
    match place:
        case ast.Slice() | ast.Constant(int()) | ast.UnaryOp(ast.USub(), ast.Constant(int())):
            return True
    return False


def test_reads_by_position_are_found():
    found = ("Save(*row)", "Save(*row.values())", "tuple(row.values())[:-1]", "row[0]", "row[:3]", "rows[0][-1]")
    assert [text for text in found if not list(positional_reads(parse_source(text)))] == []
    fine = ("row['id']", "row[name]", "rows[0]", "rows[0]['id']", "union_all(*sides.values())", "list(names.values())")
    assert [text for text in fine if list(positional_reads(parse_source(text)))] == []


def test_rows_are_read_by_column_name():
    places = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for folder in ("packages/*/src", "services/*/src")
        for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
        if path != ROW_READER
        for node in positional_reads(parse_source(path.read_text(encoding="utf-8")))
    ]
    assert places == []
