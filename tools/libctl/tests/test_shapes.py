"""The schemas of ``--json`` and the columns of ``--csv``: what each command says of itself, without a service."""

import json
import sys
from io import StringIO

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner
from gameshelf.libctl.main import cli
from gameshelf.libctl.output import Csv, Output
from gameshelf.libctl.shapes import columns_of, schema_of, shape_of


def commands(command, *names):
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from commands(command.get_command(click.Context(command), name), *names, name)
    elif shape := shape_of(command):
        yield " ".join(names), shape


SHAPES = dict(commands(cli))


@pytest.mark.parametrize("name", SHAPES)
def test_a_schema_is_one_and_names_its_version(name):
    made = schema_of(name, SHAPES[name])
    jsonschema_rs.meta.validate(made)
    assert made["$id"] == f"urn:gameshelf:libctl:{name.replace(' ', '-')}:1"


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.rows])
def test_each_column_has_a_name_of_its_own(name):
    columns = columns_of(SHAPES[name])
    assert len(columns) == len(set(columns))


def test_a_schema_is_printed_without_arguments_and_without_a_service():
    answer = CliRunner().invoke(cli, ["quota", "set", "--schema"])
    assert json.loads(answer.stdout)["title"] == "libctl quota set --json"
    assert answer.exit_code == 0


def test_a_later_version_may_have_more_fields():
    open_one = schema_of("quota top", SHAPES["quota top"])
    page = {"users": [], "next_cursor": "", "looked_at": 0}
    jsonschema_rs.validate(open_one, page | {"added_later": 1})
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema_of("quota top", SHAPES["quota top"], is_closed=True), page | {"added_later": 1})


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        ("Quantum Dacha", "Quantum Dacha"),
        ('one, "two"', '"one, ""two"""'),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\x1b[2J", "\\x1b[2J"),
        (["a", "b"], '"[""a"", ""b""]"'),
    ],
)
def test_a_cell_is_no_formula_and_harms_no_terminal(monkeypatch, value, cell):
    out = Output()
    out.csv = Csv("rows", ["id", "of.name"])
    monkeypatch.setattr(sys, "stdout", StringIO())
    out.result({"rows": [{"id": 1, "of": {"name": value}}, {"id": 2, "of": None}]})
    assert sys.stdout.getvalue() == f"id,of.name\n1,{cell}\n2,\n"


def test_json_and_csv_exclude_each_other():
    answer = CliRunner().invoke(cli, ["--json", "audit", "list", "--csv"])
    assert "--json and --csv exclude each other" in str(answer.exception)
