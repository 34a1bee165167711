"""Verifying a backup: it is whole, it can be loaded, and what comes out is what went in."""

from pathlib import Path

from gameshelf.libctl.backup.contents import Difference
from gameshelf.libctl.backup.load import check_files, differences, load, ready
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.scratch import scratch
from gameshelf.libctl.postgres import PostgresDatabase


async def verify(
    steps: Steps, database: PostgresDatabase, folder: Path, manifest: Manifest, jobs: int
) -> tuple[list[Difference], bool]:
    """Returns the differences from the manifest, and whether the dump was loaded: one with damaged files is not.

    An interrupted one starts from scratch: a file may have changed since it was hashed. Raises Refused.
    """
    tools, shapes = await ready(database, manifest)
    damaged = await check_files(folder, manifest, steps)
    if damaged:
        return damaged, False
    async with scratch(database, manifest.locale, manifest.digest, steps) as name:
        await load(tools, database, name, folder, manifest, jobs, steps)
        return await differences(database, name, manifest, jobs, shapes, steps), True
