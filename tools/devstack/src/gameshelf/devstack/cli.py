"""The commands of ``./dev``. Data goes to standard output, talk to standard error.

``./dev`` starts this with the Python that it was called with, which has only the standard library: what a command needs
beside it is imported by that command, and installed before.
"""

import ast
import difflib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID, uuid4

from gameshelf.devstack import clients, disk, locks, ports, running
from gameshelf.devstack.arguments import parse
from gameshelf.devstack.installation import InstallationFailed, VirtualEnvironment
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.releasing.versions import Version

if TYPE_CHECKING:
    from gameshelf.devstack.stack import Stack

ROOT = Path(os.environ.get("GAMESHELF_ROOT") or Path.cwd())
DATA = Path(os.environ.get("GAMESHELF_DEV_DATA") or ROOT / ".local")
_FOLDERS = ("postgresql", "valkey", "kafka", "s3", "real", "keys")
WORKERS = 6
"""Three per core of a small machine. Each takes some 0.8 GB with its servers."""


class _Interrupted(BaseException):
    """A signal came while the stack was starting."""


def up(detach: bool, fresh: bool, origins: Sequence[str], real: bool) -> None:
    """Start the servers and the service, and keep them running until Ctrl-C."""
    from gameshelf.devstack.environment import differing, settings_asked_for
    from gameshelf.devstack.servers import choice

    # What is started from here doesn't import from the folder that the caller is in, as `python -m` does.
    os.environ["PYTHONSAFEPATH"] = "1"
    origins = tuple(map(_origin, origins))
    if real:
        choice.choose_real()  # a keeper in the background inherits it
    if running.is_held(DATA):
        if fresh:
            _fail("a stack runs already; `./dev down` first, then `./dev up --fresh`")
        _say("a stack runs already in this checkout; making sure that all of it is up")
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


def keep(fresh: bool, origins: Sequence[str]) -> None:
    """The stack that `up --detach` runs in the background."""
    _keep(fresh, origins, lambda: None)


def _origin(given: str) -> str:
    from gameshelf.gateway.runtime.origins import parse_origin

    try:
        return parse_origin(given)
    except ValueError as error:
        _fail(f"--origin {given}: {error}")


def _keep(fresh: bool, origins: Sequence[str], ready: Any) -> None:
    from gameshelf.devstack.stack import PortTaken, Stack

    try:
        with running.hold(DATA):
            if fresh:
                _wipe_data()
            running.note_keeper(DATA)
            stack = Stack(DATA, _say, origins=origins)
            _run(stack, ready)
    except running.AlreadyRuns:
        _fail("a stack runs already in this checkout; `./dev status` shows it, `./dev down` ends it")
    except (StartFailed, PortTaken) as error:
        _fail(str(error))


def _wipe_data() -> None:
    """Empties the data directory but for the lock that we hold and the log that we write."""
    from gameshelf.devstack.stack import wipe

    for name in (*_FOLDERS, "ports.json", "stack.json", "demo.json", "launcher-orders.json"):
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
        _say("stopping")
        stack.stop()


def down() -> None:
    """Stop everything that `up` started."""
    _say("stopped" if running.end(DATA) else "nothing runs")


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
        print(json.dumps({"parts": described}))
    elif not parts:
        _say("nothing runs; `./dev up` starts it")
    else:
        print(f"{'part':<12}{'state':<7}{'address':<18}{'pid':<9}up for")
        for part in parts:
            age = _age(time.time() - part.started_at)
            print(f"{part.name:<12}{'up' if part.alive else 'down':<7}{part.address:<18}{part.pid:<9}{age}")
    sys.exit(0 if parts and all(part.alive for part in parts) else 3)


def token(user_id: UUID, roles: Sequence[str] | None, ttl: int) -> None:
    """Print a JWT that the running dev service accepts."""
    from gameshelf.devstack.tokens import TokenIssuer

    print(TokenIssuer(DATA / "keys").issue(user_id, roles or ("user",), ttl))


def publish(event_type: str, data: str, event_id: str | None, source: str) -> None:
    """Put one event on its topic, as another service would; print its id."""
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
    print(event.id)


def env() -> None:
    """Print the running stack's settings and addresses for a shell."""
    settings = _environment()
    reached = {**clients.addresses(settings), **clients.past_proxies(os.environ)}
    print("\n".join(clients.shell_lines({**settings, **reached})))


def test(arguments: tuple[str, ...]) -> None:
    """Run the test suite on embedded servers of its own."""
    from gameshelf.devstack import bytecode
    from gameshelf.devstack.environment import forget_settings
    from gameshelf.devstack.servers import choice

    os.chdir(ROOT)
    forget_settings(os.environ)
    if "--real" in arguments:
        choice.choose_real()
    if "--granian" in arguments:
        os.environ["LIBRARY_SERVICE_SERVER"] = "granian"  # of each service that a test starts
    arguments = tuple(argument for argument in arguments if argument not in ("--real", "--granian"))
    names_path = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    workers: tuple[str, ...] = ()
    if not names_path:
        bytecode.make(ROOT)
        workers = (f"--numprocesses={WORKERS}", "--dist=loadfile", "--no-loadscope-reorder")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *workers, *arguments])


def bench(arguments: tuple[str, ...]) -> None:
    """Run a benchmark; without one list them."""
    scenario, *options = arguments or (None,)
    files = [path for path in sorted((ROOT / "bench").glob("*.py")) if not path.stem.startswith("_")]
    scenarios = {path.stem.replace("_", "-"): path for path in files}
    if scenario not in scenarios:
        if scenario:
            _fail(f"SCENARIO: there is no {scenario}; there are: {', '.join(scenarios)}")
        for name, path in scenarios.items():
            summary = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            print(f"{name:<14} {summary.partition(chr(10))[0]}")
        return
    sys.exit(subprocess.run([sys.executable, str(scenarios[scenario]), *options], cwd=ROOT, check=False).returncode)


def release(package: str, version: Version, dry_run: bool) -> None:
    """Release a package."""
    from gameshelf.devstack.releasing import command
    from gameshelf.devstack.releasing.plan import ReleaseRefused

    try:
        command.release(package, version, dry_run)
    except ReleaseRefused as error:
        _fail(str(error))


def install(everything: bool) -> None:
    """Install what `up` needs, or what all commands need."""
    VirtualEnvironment(ROOT).ensure("all" if everything else "devstack")


def lock() -> None:
    """Pin the versions of all packages."""
    sys.exit(locks.lock(ROOT / "3rdparty" / "python"))


def _environment() -> dict[str, str]:
    try:
        found: dict[str, str] = running.state(DATA)["environment"]
    except running.NotRunning:
        _fail("nothing runs; start it with `./dev up` (or `./dev up --detach`)")
    return found


def _welcome() -> None:
    from gameshelf.devstack import demo
    from gameshelf.devstack.tokens import TokenIssuer

    token = TokenIssuer(DATA / "keys").issue(demo.ANNA, ttl=24 * 3600)
    _say(_coloured("\nready", "1;32"))
    launcher = _coloured(running.state(DATA)["launcher"], "1")
    _say(f"  open this  {launcher}    a launcher in your browser: buy, play, save\n")
    for line in clients.welcome(_environment(), ROOT, DATA, demo.ANNA, demo.not_yet_owned(), token):
        _say(line)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else text


def _fail(message: str) -> NoReturn:
    _say(_coloured(f"dev: {message}", "31"))
    sys.exit(1)


def _before_up() -> None:
    """Whatever is wrong with ports and disk is said before anything is installed or started."""
    refusal = ports.mistake_in(os.environ)
    if not running.is_held(DATA):
        refusal = refusal or ports.refusal_of_taken() or disk.refusal_of_full(DATA)
    if refusal:
        _fail(refusal)


@dataclass(frozen=True, slots=True)
class _Command:
    run: Callable[..., None]
    needs: str | None = None
    """What has to be installed for it: ``devstack``, ``all`` or nothing."""
    before: Callable[[], object] = lambda: None
    """What can be refused before anything is installed."""


COMMANDS = {
    "up": _Command(up, "devstack", _before_up),
    "keep": _Command(keep, "devstack"),
    "down": _Command(down),
    "status": _Command(status),
    "token": _Command(token, "devstack"),
    "publish": _Command(publish, "devstack", _environment),
    "env": _Command(env),
    "test": _Command(test, "all"),
    "bench": _Command(bench, "devstack"),
    "release": _Command(release, "all"),
    "install": _Command(install),
    "lock": _Command(lock),
}


def main(arguments: Sequence[str], installed: bool = True) -> None:
    """Runs a command: here, or by the Python of .venv once that has what the command needs."""
    try:
        _main(arguments, installed)
    except KeyboardInterrupt:
        _say("\ndev: interrupted; run the command again to continue")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        sys.exit(141)
    except InstallationFailed as error:
        _fail(str(error))
    except OSError as error:
        _fail(_advice(error))


def _main(arguments: Sequence[str], installed: bool) -> None:
    parsed = vars(parse(arguments))
    os.environ |= clients.past_proxies(os.environ)
    command = COMMANDS[parsed.pop("command")]
    if command.needs:
        command.before()
        if not installed:
            _continue_in_venv(command.needs, arguments)
    command.run(**parsed)


def _continue_in_venv(needs: str, arguments: Sequence[str]) -> NoReturn:
    installation = VirtualEnvironment(ROOT)
    if installation.python.exists() and not installation.can_extend() and running.is_held(DATA):
        _fail("the pinned versions have changed, and a stack runs with the old ones; `./dev down` first")
    installation.ensure(needs)
    # Without cached bytecode each start of the service compiles 1,200 files. Modules of elsewhere, also of the folder
    # that the caller is in (-P), could be taken for those of the same name that are pinned.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    python = str(installation.python)
    os.execv(python, [python, "-P", "-m", "gameshelf.devstack", *arguments])


def _advice(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{where}; make room, then run the command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"it can't be written here{where}; use a folder of yours: clone it there, or set GAMESHELF_DEV_DATA"
    return f"{error.strerror or error}{where}"
