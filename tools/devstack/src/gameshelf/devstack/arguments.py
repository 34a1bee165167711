"""The arguments of ``./dev`` and their help. Only the standard library: help is there before anything is installed."""

import argparse
import difflib
import textwrap
from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

from gameshelf.devstack.releasing.versions import Version

ROLES = ("user", "support", "admin", "service")
PASSING_ON = ("test", "bench")
"""Commands whose arguments belong to another program, but for a first ``--help``."""

_DESCRIPTION = """Runs, tests and measures the Library Service on this machine.

Start with `./dev up`; it prints what to try next."""
_TEST = """Run the test suite on embedded servers of its own; ARGUMENTS go to pytest.

With `--all` also the long tests: soaks, faults under load, large random tests. The order is random; the first line says
its seed, and `--randomly-seed=SEED` repeats it. With `--real` on servers that `.ci/real-servers` installed.

The suite runs on more workers than there are cores, since tests wait most of the time. The tests of a path that is
named run in one process, so that `--pdb` works."""
_RELEASE = """Release PACKAGE (kernel, library, gateway, …) as VERSION: changelog, version, ranges, commit and annotated
tag.

A VERSION that ends in .dev0 begins it: the version and the ranges of those who need the package change, nothing is
tagged."""
_INSTALL = """Install what `./dev up` needs into .venv; with --all what every command needs.

Each command installs what it needs by itself. This one is for scripts, editors, and before a journey."""


class _Paragraphs(argparse.HelpFormatter):
    """Keeps the paragraphs of a description apart."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        wrapper = textwrap.TextWrapper(width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        return "\n\n".join(wrapper.fill(" ".join(paragraph.split())) for paragraph in text.split("\n\n"))


class _Parser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"formatter_class": _Paragraphs, "allow_abbrev": False, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"dev: {message}; see `{self.prog} --help`\n")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the command and its arguments. Ends the program after help, or with a mistake."""
    parser, parsers = _parser()
    command, *rest = arguments or ("--help",)
    if command in PASSING_ON and rest[:1] not in (["-h"], ["--help"]):
        return argparse.Namespace(command=command, arguments=tuple(rest))
    if not command.startswith("-") and command not in parsers:
        near = difflib.get_close_matches(command, parsers, n=1)
        parser.error(f"there is no {command}" + (f", but {near[0]}" if near else ""))
    parsed, unknown = parser.parse_known_args([command, *rest])
    if unknown:
        parsers[command].error(f"there is no {' '.join(unknown)}")
    return parsed


def _parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="./dev", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")

    def add(name: str, description: str, summary: str | None = None) -> argparse.ArgumentParser:
        return commands.add_parser(name, prog=f"./dev {name}", description=description, help=summary or description)

    _add_up(add("up", "Start the servers and the service, and keep them running until Ctrl-C."))
    add("down", "Stop everything that `up` started.")
    status = add("status", "Show what runs where. Exit code 0 when everything is up, 3 otherwise.")
    status.add_argument("--json", dest="as_json", action="store_true", help="Print JSON.")
    _add_token(add("token", "Print a JWT that the running dev service accepts."))
    _add_publish(add("publish", "Put one event on its topic, as another service would; print its id."))
    add(
        "env",
        "Print the running stack's settings and addresses as NAME=value lines, quoted for a shell: "
        'set -a; eval "$(./dev env)"; set +a',
        "Print the running stack's settings, for a shell.",
    )
    test = add("test", _TEST, "Run the test suite on embedded servers of its own.")
    test.add_argument(
        "arguments", nargs="*", metavar="ARGUMENTS", help="Options of pytest, paths of tests, --all, --real."
    )
    summary = "Run a benchmark; without SCENARIO list them."
    bench = add("bench", f"{summary}\n\n`./dev bench SCENARIO --help` shows the options of one.", summary)
    bench.add_argument("arguments", nargs="*", metavar="SCENARIO", help="The benchmark, and its options.")
    release = add("release", _RELEASE, "Release a package: changelog, version, commit and tag.")
    release.add_argument("package", metavar="PACKAGE")
    release.add_argument("version", metavar="VERSION", type=_version)
    release.add_argument("--dry-run", action="store_true", help="Show what would change, and change nothing.")
    install = add("install", _INSTALL, "Install what `./dev up` needs; with --all what every command needs.")
    install.add_argument(
        "--all", dest="everything", action="store_true", help="Also the tools of tests, checks and builds."
    )
    keep = commands.add_parser("keep")  # `up --detach` runs it in the background; without a help it is not listed
    _add_fresh_and_origins(keep)
    add("lock", "Pin the versions that 3rdparty/python/*.in allow.")
    return parser, commands.choices


def _add_up(up: argparse.ArgumentParser) -> None:
    up.add_argument("--detach", action="store_true", help="Run in the background; return once it is ready.")
    _add_fresh_and_origins(up)
    up.add_argument(
        "--real",
        action="store_true",
        help="PostgreSQL 15, Redis 7.0 and Kafka 4.1 in place of the servers of wheels, with data of their own; "
        "`.ci/real-servers` installs them on Debian 12.",
    )


def _add_fresh_and_origins(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh", action="store_true", help="Begin with an empty data directory.")
    parser.add_argument(
        "--origin",
        dest="origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="Let pages of this origin call, such as http://localhost:3333, beside those of common development "
        "servers. May be given several times.",
    )


def _add_token(token: argparse.ArgumentParser) -> None:
    token.add_argument(
        "--user",
        dest="user_id",
        metavar="UUID",
        required=True,
        type=_uuid,
        help="The player (or the service) that it names.",
    )
    token.add_argument(
        "--role", dest="roles", action="append", choices=ROLES, help="May be given several times. Default: user."
    )
    token.add_argument("--ttl", default=3600, type=_seconds, help="Seconds that it is valid for. Default: 3600.")


def _add_publish(publish: argparse.ArgumentParser) -> None:
    publish.add_argument("event_type", metavar="TYPE", help="For example com.platform.payment.purchase.completed.v1.")
    publish.add_argument("data", metavar="JSON", help="The event's data.")
    publish.add_argument("--id", dest="event_id", help="Id of the event; a repeated one is applied once.")
    publish.add_argument("--source", default="gameshelf.devstack", help="Source of the event. Default: %(default)s.")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no UUID") from None


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds, at least 1")
    return int(text)


def _version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
