"""The schemas of ``--json`` and the columns of ``--csv``: what each command says of itself, without a service."""

import ast
import json
import sys
from io import StringIO
from pathlib import Path

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner
from gameshelf.libctl.main import cli
from gameshelf.libctl.output import Csv, Output
from gameshelf.libctl.shapes import columns_of, schema_of, shape_of

HERE = Path(__file__).parent


def commands(command, *names):
    """All that have ``--json``, with their shapes."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from commands(command.get_command(click.Context(command), name), *names, name)
    elif any(one.name == "json" for one in command.params):
        yield " ".join(names), shape_of(command)


COMMANDS = dict(commands(cli))
SHAPES = {name: shape for name, shape in COMMANDS.items() if shape}


def test_the_readme_names_the_lists_without_csv_and_those_with_all():
    """What it says of all lists has to be true of each one."""
    lists = {name for name in COMMANDS if name.split()[-1] in ("list", "find")}
    readme = " ".join((HERE.parent / "README.md").read_text(encoding="utf-8").split())
    without = sorted(name for name in lists if not (SHAPES[name].rows))
    assert f"except {', '.join(f'`{name}`' for name in without[:-1])} and `{without[-1]}`" in readme
    with_all = [name for name in lists if "--all" in options_of(name)]
    assert with_all == ["events dlq list"]
    assert "`events dlq list --all`" in readme


def options_of(name):
    command = cli
    for word in name.split():
        command = command.get_command(click.Context(command), word)
    return {option for one in command.params for option in one.opts}


def validated():
    """The commands that tests run with a real server, and whose JSON they compare with its schema.

    ``data`` and ``applies`` of the service's tests do, ``libctl`` of those of the database with ``--json``, and
    ``check_shape`` itself.
    """
    for path in HERE.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _typed(node, named)


def _typed(call, named):
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    words = list(_words(call.args, named))
    if name in ("data", "applies", "check_shape") or (name == "libctl" and "--json" in words):
        words = [word for word in words if word != "--json"]
        yield from (" ".join(words[:count]) for count in (1, 2, 3) if None not in words[:count])


def _words(arguments, named):
    """The words that a call has as they are; None for the others."""
    for one in arguments:
        if isinstance(one, ast.Starred) and isinstance(one.value, ast.Name) and one.value.id in named:
            # A tuple may be made of an earlier one of its name.
            others = {name: value for name, value in named.items() if name != one.value.id}
            yield from _words(named[one.value.id].elts, others)
        elif isinstance(one, ast.Tuple):
            yield from _words(one.elts, named)
        else:
            yield one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None


def test_all_that_print_json_have_a_schema():
    assert len(COMMANDS) > 70
    assert [name for name in COMMANDS if name not in SHAPES] == []


def test_the_json_of_all_is_compared_with_their_schemas_by_a_test():
    assert sorted(COMMANDS.keys() - set(validated())) == []


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ('support.data("user", "show", user)', "user show"),
        ('words = ("user", "erase", user)\nadmin.applies(*words)', "user erase"),
        ('words = ("user", "erase")\nwords = (*words, user)\nadmin.applies("user", "show", *words)', "user show"),
        ('libctl("db", "status", "--json")', "db status"),
        ('check_shape(("completion", "bash"), data)', "completion"),
        ('libctl("db", "status")', None),
        ('support.run("user", "show", user)', None),
        ('support.data(noun, "show", user)', None),
    ],
)
def test_only_what_is_compared_counts(monkeypatch, tmp_path, program, found):
    (tmp_path / "test_one.py").write_text(program)
    monkeypatch.setitem(globals(), "HERE", tmp_path)
    assert COMMANDS.keys() & set(validated()) == ({found} if found else set())


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
