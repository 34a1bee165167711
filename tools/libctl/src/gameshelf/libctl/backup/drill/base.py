"""The data of a base backup with its archived WAL, made ready for a recovery in a scratch server."""

import asyncio
import json
import os
import re
import shlex
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.tools import Tools
from gameshelf.libctl.errors import NothingFound, Refused

PGBACKREST = "pgbackrest:"
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_START = re.compile(r"^START WAL LOCATION: ([0-9A-F]+)/([0-9A-F]+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """``folder`` with the archive ``wal``, or the pgBackRest stanza ``stanza``. ``major`` is PostgreSQL's version."""

    name: str
    major: int
    folder: Path | None = None
    wal: Path | None = None
    stanza: str = ""
    newest_segment: str = ""


def found_in(folder: Path, wal: Path) -> BaseBackup:
    """The newest base backup in a folder: itself, or one below it. Raises NothingFound, or Refused."""
    if not wal.is_dir():
        raise NothingFound(f"there is no folder {wal}", "--wal with the folder that archive_command writes to")
    candidates = [path for path in (folder, *sorted(folder.glob("*"))) if (path / "PG_VERSION").is_file()]
    if not candidates:
        raise NothingFound(f"{folder} holds no base backup", "a folder that pg_basebackup made, or one of them")
    newest = max(candidates, key=_start)
    _require_copy(newest)
    return BaseBackup(str(newest), int((newest / "PG_VERSION").read_text()), folder=newest, wal=wal)


async def of_stanza(stanza: str) -> BaseBackup:
    """The newest backup of pgBackRest, as its own configuration describes it. Raises NothingFound, or Refused."""
    info = await _info(stanza)
    backups, archives = info.get("backup", []), info.get("archive", [])
    if not backups:
        said = info.get("status", {}).get("message", "no backup")
        raise NothingFound(f"pgBackRest has no backup of the stanza {stanza}: {said}", "pgbackrest info")
    newest = backups[-1]
    if newest.get("error"):
        raise Refused(f"{newest['label']} has pages with wrong checksums", "pgbackrest info --set; make another one")
    versions = {db["id"]: db["version"] for db in info["db"]}
    return BaseBackup(
        f"{PGBACKREST}{stanza} {newest['label']}",
        int(versions[newest["database"]["id"]].partition(".")[0]),
        stanza=stanza,
        newest_segment=max((one["max"] or "" for one in archives), default="", key=lambda name: name[8:]),
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """The data, and the server's settings and environment for their recovery."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


async def put_into(steps: Steps, base: BaseBackup, programs: Path, work: Path) -> Recovery:
    """Puts the data of a base backup into a folder below ``work``."""
    data = work / "data"
    if base.stanza:
        steps.say(f"pgBackRest restores {base.name}")
        arguments = [
            f"--stanza={base.stanza}",
            f"--pg1-path={data}",
            f"--tablespace-map-all={work / 'tablespaces'}",
            "--archive-mode=off",
            "restore",
        ]
        # By the environment, since the server calls pgBackRest, too: beside the live one's it needs places of its own.
        environment = {
            "PGBACKREST_LOCK_PATH": str(work / "lock"),
            "PGBACKREST_SPOOL_PATH": str(work / "spool"),
            "PGBACKREST_LOG_LEVEL_FILE": "off",
            "PGBACKREST_LOG_LEVEL_CONSOLE": "off",
            "PGBACKREST_LOG_LEVEL_STDERR": "warn",
        }
        data.mkdir(mode=0o700)
        for name in ("tablespaces", "lock", "spool"):
            (work / name).mkdir(mode=0o700)
        await _program(arguments, environment)
        return Recovery(data, environment=environment)
    assert base.folder
    assert base.wal
    steps.say(f"copying {base.folder}")
    await asyncio.to_thread(shutil.copytree, base.folder, data)
    data.chmod(0o700)
    if (data / "backup_manifest").is_file():
        # Whether there is enough WAL is what the recovery shows.
        await Tools(programs).run("pg_verifybackup", ["--no-parse-wal", str(data)], dict(os.environ), lambda _: None)
    (data / "standby.signal").unlink(missing_ok=True)
    (data / "recovery.signal").touch()
    archive = shlex.quote(str(base.wal.absolute())).replace("%", "%%")
    return Recovery(data, {"restore_command": f'cp {archive}/%f "%p"'})


def archived_segments(base: BaseBackup) -> list[str]:
    """The segments in the archive, or the last of them."""
    if base.stanza:
        return [base.newest_segment] if base.newest_segment else []
    assert base.wal
    return [path.name for path in base.wal.iterdir() if _SEGMENT.fullmatch(path.name)]


def _start(folder: Path) -> tuple[int, int]:
    """The position at which a base backup begins, which grows over a server's life."""
    try:
        found = _START.search((folder / "backup_label").read_text())
    except OSError:
        found = None
    return (int(found[1], 16), int(found[2], 16)) if found else (-1, -1)


def _require_copy(folder: Path) -> None:
    """Raises Refused for what must not be started, because it is, or points at, the data of a running server."""
    if (folder / "postmaster.pid").exists():
        raise Refused(f"{folder} is the data of a running server", "name the folder of a base backup")
    if not (folder / "backup_label").is_file():
        raise Refused(
            f"{folder} isn't a base backup: it has no backup_label",
            "a copy of files alone can't be recovered; make it with pg_basebackup or pgBackRest",
            code="BACKUP_DAMAGED",
        )
    links = [path for path in (folder / "pg_wal", *(folder / "pg_tblspc").glob("*")) if path.is_symlink()]
    if links:
        raise Refused(
            f"{links[0]} points to {links[0].readlink()}, which may be that of the live server",
            "pg_basebackup --tablespace-mapping, or pgBackRest, which gives each tablespace a new place",
        )


async def _info(stanza: str) -> dict[str, Any]:
    try:
        stanzas = json.loads(
            await _program([f"--stanza={stanza}", "--output=json", "--log-level-file=off", "info"], {})
        )
        found: dict[str, Any] = stanzas[0]
    except (ValueError, IndexError):
        raise Refused("pgbackrest info can't be understood", "pgbackrest --output=json info") from None
    return found


async def _program(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Runs pgBackRest; returns its output. Raises Refused with its errors."""
    path = shutil.which("pgbackrest")
    if path is None:
        raise Refused("pgbackrest isn't installed", "apt-get install pgbackrest")
    process = await asyncio.create_subprocess_exec(
        path, *arguments, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        said = " ".join(err.decode(errors="replace").split()) or f"exit code {process.returncode}"
        raise Refused(f"pgbackrest failed: {said}", "fix what it reports, then repeat")
    return out.decode(errors="replace")
