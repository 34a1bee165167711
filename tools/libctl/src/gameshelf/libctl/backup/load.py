"""Loading a backup into an empty database, and comparing what is there then with the manifest."""

from pathlib import Path

from gameshelf.libctl.backup.contents import Difference, compare, read
from gameshelf.libctl.backup.create import server_of
from gameshelf.libctl.backup.manifest import DUMP, Manifest
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.tools import Tools
from gameshelf.libctl.errors import Precondition
from gameshelf.libctl.postgres import MAINTENANCE, PostgresDatabase


async def ready(database: PostgresDatabase, manifest: Manifest) -> tuple[Tools, bool]:
    """The programs that can load the backup into this server; and whether both servers write definitions alike.

    Raises Precondition when the server or the programs are too old.
    """
    async with database.connect(MAINTENANCE) as connection:
        server = await server_of(connection)
    if server.major < manifest.server.major:
        raise Precondition(
            f"the backup is of PostgreSQL {manifest.server.version}, this server is {server.version}",
            f"a server of PostgreSQL {manifest.server.major} or newer",
        )
    tools, _ = await Tools.for_server(max(server.number, manifest.pg_dump * 10_000), server.version)
    return tools, server.major == manifest.server.major


async def check_files(folder: Path, manifest: Manifest, steps: Steps) -> list[Difference]:
    """Returns the files of the backup that have changed."""
    with steps.bars():
        return await manifest.differences(folder, steps.counting("checking", len(manifest.files), "files"))


async def load(
    tools: Tools, database: PostgresDatabase, name: str, folder: Path, manifest: Manifest, jobs: int, steps: Steps
) -> None:
    """Loads everything into the empty database ``name``. Raises Refused."""
    where, environment = database.for_tools(name)
    arguments = [
        f"--jobs={jobs}",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        "--verbose",
        f"--dbname={where}",
        str(folder / DUMP),
    ]
    with steps.bars():
        loaded = steps.counting("loading", len(manifest.contents.tables), "tables")

        def count_table(line: str) -> None:
            if "processing data for table" in line:
                loaded()

        await tools.run("pg_restore", arguments, environment, count_table)


async def differences(
    database: PostgresDatabase, name: str, manifest: Manifest, jobs: int, shapes: bool, steps: Steps
) -> list[Difference]:
    """Returns the differences between the loaded database and the manifest."""
    with steps.bars():
        compared = steps.counting("comparing", len(manifest.contents.tables), "tables")
        found = await read(database, name, manifest.schemas, jobs, compared)
    return compare(manifest.contents, found, shapes=shapes)
