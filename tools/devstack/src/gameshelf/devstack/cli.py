"""The commands of ``./dev``. Data goes to standard output, talk to standard error."""

import ast
import difflib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID, uuid4

import click
from gameshelf.devstack import demo, running
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.releasing.command import release
from rich.console import Console

if TYPE_CHECKING:
    from gameshelf.devstack.stack import Stack

# What takes long to import, such as the servers, is imported only by the commands that need it.

ROOT = Path(os.environ.get("GAMESHELF_ROOT") or Path.cwd())
DATA = Path(os.environ.get("GAMESHELF_DEV_DATA") or ROOT / ".local")
WORKERS = 6
"""Three per core of a small machine. Each takes some 0.8 GB with its servers."""
ROLES = ("user", "support", "admin", "service")

# Options before the first argument belong to this program, such as --help; everything after it to the other program.
_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}

_out = Console(soft_wrap=True)
_talk = Console(stderr=True, soft_wrap=True, highlight=False)


class _Interrupted(BaseException):
    """A signal came while the stack was starting."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def dev() -> None:
    """Runs, tests and measures the Library Service on this machine.

    Start with `./dev up`; it prints what to try next.
    """


@dev.command()
@click.option("--detach", is_flag=True, help="Run in the background; return once it is ready.")
@click.option("--fresh", is_flag=True, help="Begin with an empty data directory.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="Let pages of this origin call, such as http://localhost:3333, beside those of common development servers. "
    "May be given several times.",
)
@click.option("--real", is_flag=True, help="PostgreSQL 15, Redis 7, Kafka 4 of `.ci/real-servers`.")
def up(detach: bool, fresh: bool, origins: tuple[str, ...], real: bool) -> None:
    """Start the servers and the service, and keep them running until Ctrl-C."""
    from gameshelf.devstack.environment import differing, settings_asked_for
    from gameshelf.devstack.servers import choice

    origins = tuple(map(_origin, origins))
    if real:
        choice.choose_real()  # a keeper in the background inherits it
    if running.is_held(DATA):
        if fresh:
            _fail("a stack runs already; `./dev down` first, then `./dev up --fresh`")
        _talk.print("a stack runs already in this checkout; making sure that all of it is up")
        try:
            running.wait_until_well(DATA)
            state = running.state(DATA)
        except (StartFailed, running.NotRunning) as error:
            _fail(str(error))
        if state.get("real", False) != choice.are_real():
            _fail("it runs with the other kind of servers; `./dev down` first, then `./dev up` with or without --real")
        if others := differing(settings_asked_for(origins), {**state["asked"], **state["environment"]}):
            _fail(f"it runs with other values of {', '.join(others)}; `./dev down` first, then `./dev up` with the new")
        _welcome()
        return
    if not detach:
        _keep(fresh, origins, _welcome)
        return
    try:
        (DATA / "stack.json").unlink(missing_ok=True)
        passed_on = [f"--origin={origin}" for origin in origins]
        running.start_in_background(DATA, [*(["--fresh"] if fresh else []), *passed_on])
    except StartFailed as error:
        _fail(str(error))
    _welcome()


@dev.command(hidden=True)
@click.option("--fresh", is_flag=True)
@click.option("--origin", "origins", multiple=True)
def keep(fresh: bool, origins: tuple[str, ...]) -> None:
    """The stack that `up --detach` runs in the background."""
    _keep(fresh, origins, lambda: None)


def _origin(given: str) -> str:
    from gameshelf.gateway.runtime.origins import parse_origin

    try:
        return parse_origin(given)
    except ValueError as error:
        _fail(f"--origin {given}: {error}")


def _keep(fresh: bool, origins: tuple[str, ...], ready: Any) -> None:
    from gameshelf.devstack.stack import PortTaken, Stack

    try:
        with running.hold(DATA):
            if fresh:
                _wipe_data()
            running.note_keeper(DATA)
            stack = Stack(DATA, _talk.print, origins=origins)
            _run(stack, ready)
    except running.AlreadyRuns:
        _fail("a stack runs already in this checkout; `./dev status` shows it, `./dev down` ends it")
    except (StartFailed, PortTaken) as error:
        _fail(str(error))


def _wipe_data() -> None:
    """Empties the data directory but for the lock that we hold and the log that we write."""
    from gameshelf.devstack.stack import wipe

    for name in ("postgresql", "valkey", "kafka", "s3", "real", "keys", "ports.json", "stack.json", "demo.json"):
        path = DATA / name
        if path.is_dir():
            wipe(path)
        else:
            path.unlink(missing_ok=True)


def _run(stack: "Stack", ready: Any) -> None:
    starting = True

    def interrupted(number: int, frame: object) -> None:
        stack.end()
        if starting:
            raise _Interrupted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        stack.start()
        starting = False
        ready()
        stack.keep()
    except _Interrupted:
        pass
    finally:
        starting = False
        _talk.print("stopping")
        stack.stop()


@dev.command()
def down() -> None:
    """Stop everything that `up` started."""
    _talk.print("stopped" if running.end(DATA) else "nothing runs")


@dev.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Show what runs where. Exit code 0 when everything is up, 3 otherwise."""
    try:
        parts = running.parts(DATA)
    except running.NotRunning:
        parts = []
    if as_json:
        described = [
            {
                "name": part.name,
                "up": part.alive,
                "pid": part.pid,
                "address": part.address,
                "started_at": part.started_at,
            }
            for part in parts
        ]
        click.echo(json.dumps({"parts": described}))
    elif not parts:
        _talk.print("nothing runs; `./dev up` starts it")
    else:
        from rich.table import Table

        table = Table("part", "state", "address", "pid", "up for", box=None, pad_edge=False)
        for part in parts:
            state = "[green]up[/]" if part.alive else "[red]down[/]"
            table.add_row(part.name, state, part.address, str(part.pid), _age(time.time() - part.started_at))
        _out.print(table)
    sys.exit(0 if parts and all(part.alive for part in parts) else 3)


@dev.command()
@click.option("--user", "user_id", required=True, type=click.UUID, help="The player (or the service) that it names.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="May be given several times. Default: user."
)
@click.option("--ttl", default=3600, show_default=True, type=click.IntRange(1), help="Seconds that it is valid for.")
def token(user_id: UUID, roles: tuple[str, ...], ttl: int) -> None:
    """Print a JWT that the running dev service accepts."""
    from gameshelf.devstack.tokens import TokenIssuer

    click.echo(TokenIssuer(DATA / "keys").issue(user_id, roles or ("user",), ttl))


@dev.command()
@click.argument("event_type", metavar="TYPE")
@click.argument("data", metavar="JSON")
@click.option("--id", "event_id", help="Id of the event; a repeated one is applied once.")
@click.option("--source", default="gameshelf.devstack", show_default=True, help="Source of the event.")
def publish(event_type: str, data: str, event_id: str | None, source: str) -> None:
    """Put one event on its topic, as another service would; print its id.

    TYPE is for example com.platform.payment.purchase.completed.v1, JSON the event's data.
    """
    import asyncio

    from gameshelf.devstack.consumed_topics import consumed_topics
    from gameshelf.devstack.events import CloudEvent
    from gameshelf.devstack.events import publish as publish_events

    types = consumed_topics()
    if event_type not in types:
        near = difflib.get_close_matches(event_type, types, n=3, cutoff=0.3) or sorted(types)
        _fail(f"TYPE: {event_type} is not consumed by the service; perhaps one of:\n  " + "\n  ".join(near))
    try:
        parsed = json.loads(data)
    except ValueError as error:
        _fail(f"JSON: {error}; quote it with '…' so that the shell leaves it alone")
    if not isinstance(parsed, dict):
        _fail("JSON: the event's data has to be an object")
    event = CloudEvent(event_type, parsed, id=event_id or str(uuid4()), source=source)
    asyncio.run(publish_events(_environment()["KAFKA_BROKERS"], [event]))
    click.echo(event.id)


@dev.command()
def env() -> None:
    """Print the running stack's settings as NAME=value lines."""
    for name, value in _environment().items():
        click.echo(f"{name}={value}")


@dev.command(context_settings=_PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the test suite on embedded servers of its own; ARGUMENTS go to pytest.

    With `--all` also the long tests: soaks, faults under load, large random tests. The order is random; the first line
    says its seed, and `--randomly-seed=SEED` repeats it. With `--real` on servers that `.ci/real-servers` installed.

    The suite runs on more workers than there are cores, since tests wait most of the time. The tests of a path that is
    named run in one process, so that `--pdb` works.
    """
    from gameshelf.devstack.servers import choice

    os.chdir(ROOT)
    if "--real" in arguments:
        choice.choose_real()
        arguments = tuple(argument for argument in arguments if argument != "--real")
    names_path = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    workers = () if names_path else (f"--numprocesses={WORKERS}", "--dist=loadfile", "--no-loadscope-reorder")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *workers, *arguments])


@dev.command(context_settings=_PASS_ON)
@click.argument("scenario", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(scenario: str | None, arguments: tuple[str, ...]) -> None:
    """Run a benchmark; without SCENARIO list them.

    `./dev bench SCENARIO --help` shows the options of one.
    """
    files = [path for path in sorted((ROOT / "bench").glob("*.py")) if not path.stem.startswith("_")]
    scenarios = {path.stem.replace("_", "-"): path for path in files}
    if scenario not in scenarios:
        if scenario:
            _fail(f"SCENARIO: there is no {scenario}; there are: {', '.join(scenarios)}")
        for name, path in scenarios.items():
            summary = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            click.echo(f"{name:<14} {summary.partition(chr(10))[0]}")
        return
    sys.exit(subprocess.run([sys.executable, str(scenarios[scenario]), *arguments], cwd=ROOT, check=False).returncode)


dev.add_command(release)


def _environment() -> dict[str, str]:
    try:
        found: dict[str, str] = running.state(DATA)["environment"]
    except running.NotRunning:
        _fail("nothing runs; start it with `./dev up` (or `./dev up --detach`)")
    return found


def _welcome() -> None:
    from gameshelf.devstack.tokens import TokenIssuer

    settings = _environment()
    http = f"http://127.0.0.1:{settings['LIBRARY_SERVICE_HTTP_PORT']}"
    demo_token = TokenIssuer(DATA / "keys").issue(demo.ANNA, ttl=24 * 3600)
    purchase = {
        "userId": str(demo.ANNA),
        "orderId": "tour-1",
        "items": [{"productId": str(demo.not_yet_owned()), "productType": "game", "quantity": 1}],
    }
    lines = (
        "",
        "[bold green]ready[/]",
        f"  REST       {http}/api/v1/library",
        f"  docs       {http}/api/v1/docs",
        f"  WebSocket  ws://127.0.0.1:{settings['LIBRARY_SERVICE_HTTP_PORT']}/api/v1/ws/library-updates",
        f"  gRPC       127.0.0.1:{settings['LIBRARY_SERVICE_GRPC_PORT']}",
        f"  metrics    http://127.0.0.1:{settings['LIBRARY_SERVICE_METRICS_PORT']}/metrics",
        "",
        f"A token of Anna, a demo player ({demo.ANNA}), for a day:",
        demo_token,
        "",
        "Buy her a game, and see it arrive:",
        f"  TOKEN=$(./dev token --user {demo.ANNA})",
        f"  ./dev publish com.platform.payment.purchase.completed.v1 '{json.dumps(purchase)}'",
        f'  curl -s -H "Authorization: Bearer $TOKEN" "{http}/api/v1/library/items?sort_by=added_at_desc&limit=1"',
    )
    for line in lines:
        _talk.print(line, markup=line.startswith("["))


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _fail(message: str) -> NoReturn:
    _talk.print(f"dev: {message}", markup=False, style="red")
    sys.exit(1)
