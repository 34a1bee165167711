"""The command line itself: where options may stand, what a mistake costs, how quickly it answers."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.composed import commands_of
from gameshelf.gateway.runtime.support.commands import ADMIN
from gameshelf.libctl.errors import ExitCode, Usage
from gameshelf.libctl.main import NOUNS, cli, noun
from gameshelf.libctl.output import Output

USER = "a11a0000-0000-4000-8000-000000000001"


def libctl(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "gameshelf.libctl", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def runner(monkeypatch):
    @noun("things")
    def group():
        """Things."""

    @group.command("show")
    @click.pass_obj
    def show(out: Output):
        """Show them."""
        out.result({"things": []}, "no things")

    monkeypatch.setitem(NOUNS, "things", "Things.")
    monkeypatch.setitem(sys.modules, "gameshelf.libctl.commands.things", type(sys)("things"))
    sys.modules["gameshelf.libctl.commands.things"].group = group
    return CliRunner()


@pytest.mark.parametrize("words", ["--json things show", "things --json show", "things show --json"])
def test_json_may_stand_anywhere(runner, words):
    answer = runner.invoke(cli, words.split())
    assert json.loads(answer.stdout) == {"things": []}


def test_without_json_there_is_a_drawing(runner):
    assert runner.invoke(cli, ["things", "show"]).stdout == "no things\n"


def test_a_mistake_is_named_with_where_to_read_on():
    result = libctl("nothing")
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert "nothing" in result.stderr
    assert "libctl --help" in result.stderr
    result = libctl("--json", "nothing")
    assert json.loads(result.stderr)["error"]["code"] == "USAGE"


@pytest.mark.parametrize(
    "words",
    [
        f"quota set {USER} 99999999TiB",
        f"quota set {USER} {'9' * 400}",
        f"library list {USER} --page 99999999999",
        f"playtime show {USER} --page 99999999999",
        "audit show abc",
        "audit undo 99999999999999999999",
    ],
)
def test_a_number_that_no_message_can_hold_is_a_mistake(words):
    result = CliRunner().invoke(cli, words.split())
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "Invalid value" in result.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("quota sho", "libctl quota show"),
        ("librarry list", "libctl library list"),
        ("users show", "libctl user show"),
        ("Quota show", "libctl quota show"),
        ("saves lst", "libctl saves list"),
        ("events dlq lisst", "libctl events dlq list"),
        ("versions", "libctl saves versions"),
        ("grant", "libctl achievements grant or libctl library grant"),
    ],
)
def test_an_unknown_command_is_answered_with_the_one_meant(words, meant):
    result = CliRunner().invoke(cli, words.split(), prog_name="libctl")
    assert isinstance(result.exception, Usage)
    assert result.exception.message.endswith(f"; did you mean {meant}?")


def test_a_word_like_no_command_has_no_guess():
    result = CliRunner().invoke(cli, ["nothing"], prog_name="libctl")
    assert result.exception.message == "there is no command libctl nothing"


def test_without_a_word_it_says_what_there_is():
    result = libctl()
    assert result.returncode == ExitCode.USAGE
    assert "Usage: libctl" in result.stderr


def test_help_loads_neither_grpc_nor_a_database():
    program = (
        "import sys; from gameshelf.libctl.main import cli; cli.main(['--help'], standalone_mode=False);"
        "sys.exit(', '.join({'grpc', 'asyncpg', 'sqlalchemy', 'alembic', 'textual'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() in ("", "0")
    assert "Nouns" in ran.stdout or not NOUNS


def test_only_the_screen_of_a_player_loads_textual():
    nouns = sorted({*NOUNS} - {"tui"})
    program = (
        f"import sys, importlib; [importlib.import_module('gameshelf.libctl.commands.' + one) for one in {nouns}];"
        "sys.exit(', '.join({'textual', 'textual_serve', 'aiohttp'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() in ("", "0")


@pytest.mark.parametrize("name", sorted(NOUNS))
def test_no_line_of_a_help_is_cut_off(name):
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "..." not in result.stdout.partition("Options:")[2]


@pytest.mark.parametrize("command", commands_of(DOMAINS).all, ids=lambda command: command.name.replace(" ", "-"))
def test_a_help_says_whether_the_role_admin_is_needed(command):
    result = CliRunner().invoke(cli, [*command.name.split(), "--help"])
    assert result.exit_code == 0
    assert ("Needs the role admin" in result.stdout) == (command.roles == ADMIN)
