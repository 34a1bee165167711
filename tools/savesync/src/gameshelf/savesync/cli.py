"""The command line ``savesync``: for a person, and with ``--json`` for a launcher."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from platform import node
from typing import Any
from uuid import UUID

import click
import httpx
from gameshelf.client import LibraryClient
from gameshelf.client.library_client import TIMEOUT
from gameshelf.savesync import __version__
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.asking import Asking
from gameshelf.savesync.conflict import ConflictDecision, OnConflict, SaveConflict, deciding_by_slot
from gameshelf.savesync.errors import LockHeld, PolicyRefused, SaveSyncError, ServiceAway
from gameshelf.savesync.game import GameSync
from gameshelf.savesync.installation import (
    account_of,
    cache_home,
    device_file,
    home_of,
    machine_mark,
    state_home,
    system_of,
    user_name,
)
from gameshelf.savesync.output import SyncOutput
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.progress import ShownProgress
from gameshelf.savesync.report import SyncExit, SyncIntent, SyncReport
from gameshelf.savesync.setup import SyncOptions, SyncSetup
from gameshelf.savesync.state import device_of
from gameshelf.savesync.store import SaveStore
from gameshelf.savesync.watch import LONGEST_PATIENCE, RETRY_SECONDS, FolderWatcher, WatchLook, WatchRules

DEFAULT_API = "http://127.0.0.1:8084/api/v1/library"
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLACES = ("store", "store_user", "store_game", "library", "game", "base", "prefix")
_CHOSEN = ("product", "slot", "api", "policy", "folders", "game_version", *_PLACES)
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_ROOT_NAME = re.compile(r"[a-z0-9_-]{1,50}")
_Command = Callable[..., Awaitable[SyncExit]]
_Choices = Mapping[str | None, OnConflict]


@dataclass(frozen=True, slots=True)
class CliSession:
    """What every command gets: the options before its own."""

    out: SyncOutput
    sync: GameSync
    device_id: str
    slot: str | None = None
    """The save that was named."""


def _root_folder(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    folders = {}
    for value in values:
        name, found, folder = value.partition("=")
        if not found or not _ROOT_NAME.fullmatch(name) or not folder:
            raise click.BadParameter(f"{value!r}: NAME=FOLDER is needed; a name has a-z, 0-9, _ and -")
        folders[name] = Path(folder).expanduser().absolute()
    return folders


def _address(_: click.Context, __: click.Parameter, address: str) -> str:
    """The token is sent there: without encryption only to this machine."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise click.BadParameter(f"{address!r}: {error}") from error
    if url.scheme == "https" or (url.scheme == "http" and url.host in _THIS_MACHINE):
        return address
    raise click.BadParameter(f"{address!r}: https:// is needed, except for this machine")


def _policy(_: click.Context, __: click.Parameter, file: Path | None) -> FolderPolicy | None:
    if file is None:
        return None
    try:
        return FolderPolicy.parse(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror or error}") from error
    except (ValueError, PolicyRefused) as error:
        raise click.BadParameter(f"{file}: {error}") from error


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    folder = partial(click.option, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
    for option in reversed(
        (
            click.option(
                "--product",
                type=click.UUID,
                envvar="SAVESYNC_PRODUCT",
                show_envvar=True,
                required=True,
                help="Id of the game.",
            ),
            click.option("--slot", metavar="NAME", help="Name of the save in the cloud, else main."),
            click.option(
                "--api",
                metavar="URL",
                envvar="LIBRARY_API",
                show_envvar=True,
                default=DEFAULT_API,
                callback=_address,
                help="Address of the service.",
            ),
            click.option(
                "--policy",
                metavar="FILE",
                type=click.Path(path_type=Path),
                callback=_policy,
                help="A policy of your own, in place of the game's.",
            ),
            click.option(
                "--root",
                "folders",
                multiple=True,
                callback=_root_folder,
                metavar="NAME=FOLDER",
                help="Folder of a root of the policy.",
            ),
            click.option("--store", metavar="NAME", help="Store that the game is from, such as steam."),
            click.option("--store-user", metavar="ID", help="Id of the user in that store."),
            click.option("--store-game", metavar="ID", help="Id of the game in that store."),
            folder("--library", help="Folder of the store's library."),
            click.option("--game", metavar="NAME", help="Name of the game's folder in the library."),
            click.option("--game-version", metavar="ID", help="Version of the game on this machine."),
            folder("--base", help="Folder of the game."),
            folder("--prefix", help="Wine prefix that the game runs in."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON, for a launcher."),
        )
    ):
        command = option(command)
    return command


def _conflict_option(command: Callable[..., Any]) -> Callable[..., Any]:
    text = (
        f"What to do where both sides have changed: {', '.join(OnConflict)}. `units` merges what one side changed. "
        "With SLOT= it is for one save of several, and may be given again."
    )
    option = click.option(
        "--on-conflict", metavar="[SLOT=]CHOICE", multiple=True, callback=_conflict_choices, help=text
    )
    return option(command)


def _conflict_choices(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> _Choices:
    choices: dict[str | None, OnConflict] = {}
    for value in values:
        slot, _found, choice = value.rpartition("=")
        if choice not in set(OnConflict):
            raise click.BadParameter(f"{choice!r} is not one of {', '.join(OnConflict)}")
        choices[slot or None] = OnConflict(choice)
    return choices


def _command(run: _Command) -> Callable[..., None]:
    """Makes a click command of a coroutine: opens the session, and ends the process with its exit code."""

    @wraps(run)
    def command(**values: Any) -> None:
        chosen = {name: values.pop(name) for name in _CHOSEN}
        out = SyncOutput(as_json=values.pop("as_json"))
        on_conflict = values.pop("on_conflict", {})
        sys.exit(_ended(out, lambda: _run(out, chosen, on_conflict, lambda session: run(session, **values))))

    return _options(command)


def _ended(out: SyncOutput, work: Callable[[], Awaitable[SyncExit]]) -> int:
    try:
        return int(asyncio.run(work()))  # type: ignore[arg-type]
    except (LockHeld, ServiceAway) as error:
        out.error(error)
        return SyncExit.DEFERRED
    except (SaveSyncError, OSError) as error:
        out.error(error)
    except KeyboardInterrupt:
        return 130
    return SyncExit.FAILED


def _read_token() -> str:
    """The token of the account. One in a file may be renewed while a command runs, such as ``watch``."""
    name, token = "LIBRARY_TOKEN", os.environ.get("LIBRARY_TOKEN", "").strip()
    if file := "" if token else os.environ.get("LIBRARY_TOKEN_FILE", ""):
        name, token = file, Path(file).read_text(encoding="utf-8", errors="replace").strip()
    if not token:
        hint = "it is the token of the account; LIBRARY_TOKEN_FILE names a file with it"
        raise click.UsageError(f"{name} is empty" if file else f"LIBRARY_TOKEN is not set; {hint}")
    if not _TOKEN.fullmatch(token):
        raise click.UsageError(f"{name} has spaces or other characters that no token has")
    return token


async def _run(
    out: SyncOutput, chosen: dict[str, Any], on_conflict: _Choices, work: Callable[[CliSession], Awaitable[SyncExit]]
) -> SyncExit:
    token = _read_token()
    with ShownProgress(out.talk, is_shown=not out.as_json) as progress:
        ask, out.before = Asking(out), progress.clear

        def decide(conflict: SaveConflict) -> ConflictDecision | None:
            progress.clear()
            return ask(conflict)

        async with _connections() as (to_service, to_store):
            client = LibraryClient(chosen["api"], _read_token, language="en", http=to_service)
            api, store = SaveApi(client), SaveStore(to_store)
            setup = _setup(chosen, token)
            sync = GameSync(setup, api, store, decide=deciding_by_slot(on_conflict, decide), progress=progress)
            return await work(CliSession(out, sync, setup.device.device_id, chosen["slot"]))


@asynccontextmanager
async def _connections() -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Those to the service, and those to the store."""
    agent = {"User-Agent": f"savesync/{__version__}"}
    context = httpx.create_ssl_context()  # one for both: it reads all certificates of the machine
    try:
        to_service, to_store = (httpx.AsyncClient(timeout=TIMEOUT, headers=agent, verify=context) for _ in range(2))
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        hint = "ALL_PROXY, HTTPS_PROXY and HTTP_PROXY name it, and NO_PROXY what is reached without it"
        raise ServiceAway(f"the proxy of this machine cannot be used: {error} ({hint})") from error
    async with to_service, to_store:
        yield to_service, to_store


def _setup(chosen: dict[str, Any], token: str) -> SyncSetup:
    system, home, variables = system_of(), home_of(os.environ), dict(os.environ)
    product: UUID = chosen["product"]
    account = account_of(token)
    return SyncSetup(
        product_id=str(product),
        device=device_of(device_file(variables, home, system), node() or None, machine_mark(system)),
        machine=Machine(
            system=system,
            home=home,
            user_name=user_name(),
            store=chosen["store"],
            store_user_id=chosen["store_user"],
            store_game_id=chosen["store_game"],
            library=chosen["library"],
            game=chosen["game"],
            base=chosen["base"],
            prefix=chosen["prefix"],
            variables=variables,
        ),
        state_folder=state_home(variables, home, system) / account / str(product),
        cache_file=cache_home(variables, home, system) / account / f"{product}.db",
        slot_name=chosen["slot"] or "main",
        game_version=chosen["game_version"],
        policy=chosen["policy"],
        folders=chosen["folders"],
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="savesync")
def main() -> None:
    """Keeps the saves of a game the same on all machines.

    LIBRARY_TOKEN is the token of the account; LIBRARY_TOKEN_FILE names a file with it, which a launcher may renew.
    Exit codes: 0 in sync, 1 failed, 2 wrong usage, 3 a decision is needed, 4 deferred: the game runs, the network is
    away, or another process synchronises.
    """


@main.command()
@_command
async def status(session: CliSession) -> SyncExit:
    """Show what a synchronisation would do. Changes nothing."""
    report = await session.sync.status()
    session.out.report(report, is_plan=True)
    return report.exit_code


@main.command()
@click.option(
    "--intent",
    metavar="INTENT",
    type=click.Choice([str(one) for one in SyncIntent]),
    default="manual",
    help=f"Why it runs, for a launcher: {', '.join(SyncIntent)}.",
)
@click.option("--now", is_flag=True, help="Do not wait until the game has finished writing.")
@click.option(
    "--confirm-removals", metavar="N", type=click.IntRange(1), help="How many files the new version may lack."
)
@click.option("--accept-older", is_flag=True, help="Upload content that an older version had.")
@click.option("--take-over", is_flag=True, help="Upload what another account of this machine has saved.")
@click.option("--undelete", is_flag=True, help="Take the save out of the trash that was deleted elsewhere.")
@click.option("--comment", metavar="TEXT", help="Comment on the new version.")
@click.option("--playtime", metavar="SECONDS", type=click.IntRange(0), help="How long this save was played.")
@_conflict_option
@_command
async def sync(
    session: CliSession,
    intent: str,
    now: bool,
    confirm_removals: int | None,
    accept_older: bool,
    take_over: bool,
    undelete: bool,
    comment: str | None,
    playtime: int | None,
) -> SyncExit:
    """Upload what changed here, download what changed elsewhere."""
    details = {"comment": comment, "playtime_seconds": playtime}
    options = SyncOptions(
        is_immediate=now,
        confirm_removals=confirm_removals,
        accepts_older=accept_older,
        takes_over=take_over,
        undeletes=undelete,
        details={name: value for name, value in details.items() if value is not None},
    )
    report = await session.sync.run(SyncIntent(intent), options)
    session.out.report(report)
    return report.exit_code


@main.command(short_help="Synchronise whenever the game has ended.")
@_conflict_option
@_command
async def watch(session: CliSession) -> SyncExit:
    """Synchronise whenever the game has ended or its files have changed, until it is interrupted."""
    engine, out = session.sync, session.out

    async def look() -> WatchLook:
        try:
            return WatchLook(await engine.look(), await engine.games())
        except (SaveSyncError, OSError) as error:  # a disk that is away, for example: it is named once
            return WatchLook(str(error), ())

    async def run(intent: SyncIntent) -> SyncReport | None:
        try:
            report = await engine.run(intent, SyncOptions(is_immediate=True))  # the rules have waited already
        except (SaveSyncError, OSError) as error:
            out.error(error)
            return None
        out.report(report, is_line=True)
        return report

    rules = WatchRules((await _policy_of(session)).settle_seconds, time.time())
    await FolderWatcher(look, run, rules, time.time).watch()
    return SyncExit.IN_SYNC


async def _policy_of(session: CliSession) -> FolderPolicy:
    """A machine that has just been started may have no network yet."""
    while True:
        try:
            return await session.sync.policy()
        except ServiceAway as away:
            session.out.error(away)
            await asyncio.sleep(max(RETRY_SECONDS, min(away.retry_after or 0.0, LONGEST_PATIENCE)))


@main.command()
@_command
async def history(session: CliSession) -> SyncExit:
    """List the versions of each save of the game, and what other saves of it the cloud has."""
    session.out.history(await session.sync.history(with_others=session.slot is None), session.device_id)
    return SyncExit.IN_SYNC


@main.command()
@click.option("--version", metavar="N", type=click.IntRange(1), help="The version to restore.")
@click.option("--from", "from_slot", metavar="SLOT", help="Another save of the game, such as the copy of a conflict.")
@click.option("--unit", "units", metavar="NAME", multiple=True, help="Only this unit of it, such as a world.")
@_conflict_option
@_command
async def restore(session: CliSession, version: int | None, from_slot: str | None, units: tuple[str, ...]) -> SyncExit:
    """Make an older version, another save, or units of it, the newest. What the folders hold is uploaded first."""
    if from_slot is not None:
        report = await session.sync.restore_from(from_slot, version, units, session.slot)
    elif version is not None:
        report = await session.sync.restore(version, units, session.slot)
    else:
        raise click.UsageError("--version or --from is needed: `savesync history` lists both")
    session.out.report(report)
    return report.exit_code


@main.command("auto-sync", short_help="Switch the automatic synchronisation of the game.")
@click.argument("value", metavar="[on|off]", type=click.Choice(["on", "off"]), required=False)
@_command
async def auto_sync(session: CliSession, value: str | None) -> SyncExit:
    """Show or switch whether the saves of the game synchronise by themselves, for all machines of the account.

    Where they do not, only a `sync` that a person asks for does something.
    """
    session.out.auto_sync(await session.sync.auto_sync(None if value is None else value == "on"), asked=value)
    return SyncExit.IN_SYNC
