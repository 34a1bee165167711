"""Where a backup is: a folder, or an address ``s3://BUCKET/PREFIX[/ID]``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl.backup import bucket, keys, remote
from gameshelf.libctl.backup.bucket import BackupBucket, BucketAddress
from gameshelf.libctl.backup.create import create, note
from gameshelf.libctl.backup.drill.records import write_marker
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.workspace import workspace
from gameshelf.libctl.postgres import PostgresDatabase


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """``folder`` or ``address``; ``backup_id`` is None for the newest good backup of an address."""

    folder: Path | None = None
    address: BucketAddress | None = None
    backup_id: str | None = None

    def __str__(self) -> str:
        name = str(self.address or self.folder)
        return f"{name}/{self.backup_id}" if self.backup_id else name


def parse(text: str) -> BackupPlace:
    """Raises Usage for an address that can't be understood."""
    if not text.startswith("s3://"):
        return BackupPlace(folder=Path(text).absolute())
    address = bucket.parse(text)
    prefix, _, last = address.prefix.rpartition("/")
    if remote.point_of(last):
        return BackupPlace(address=BucketAddress(address.bucket, prefix), backup_id=last)
    return BackupPlace(address=address)


def connected(address: BucketAddress) -> AbstractAsyncContextManager[BackupBucket]:
    """The bucket, with the keys of the environment."""
    return bucket.connected(address, keys.of_environment())


async def create_at(
    steps: Steps,
    database: PostgresDatabase,
    packages: Mapping[str, Migrations],
    place: BackupPlace,
    jobs: int,
    leave_out: Sequence[str],
    work: Path | None,
) -> tuple[Manifest, BackupPlace]:
    """Makes a backup and notes it; an address gets it by way of a folder below ``work``, which is removed."""
    await write_marker(database)  # by which a drill recognises the backup as one of this database
    if place.folder:
        made = await create(steps, database, packages, place.folder, jobs, leave_out)
    else:
        assert place.address
        async with connected(place.address) as store:
            async for _ in store.list("check"):  # a wrong address or key is found before hours of dumping
                break
            with workspace(work, steps.say) as folder:
                dump = folder / "backup"
                made = await create(steps, database, packages, dump, jobs, leave_out)
                place = BackupPlace(
                    address=place.address, backup_id=await remote.upload(steps, store, dump, made, jobs)
                )
    await note(steps, database, made)
    return made, place


async def described(steps: Steps, place: BackupPlace) -> tuple[Manifest, BackupPlace]:
    """The manifest of a backup, and its place with its id."""
    if place.folder:
        return Manifest.read(place.folder), place
    assert place.address
    async with connected(place.address) as store:
        one = await remote.chosen(steps, store, place.backup_id, datetime.now(UTC))
        return await remote.manifest_of(steps, store, one), BackupPlace(address=place.address, backup_id=one.id)


@asynccontextmanager
async def at_hand(
    steps: Steps, place: BackupPlace, jobs: int, work: Path | None
) -> AsyncIterator[tuple[Path, Manifest]]:
    """The folder and the manifest of a backup; one of a bucket is downloaded for the length of the block."""
    if place.folder:
        yield place.folder, Manifest.read(place.folder)
        return
    assert place.address
    async with connected(place.address) as store:
        one = await remote.chosen(steps, store, place.backup_id, datetime.now(UTC))
        async with remote.downloaded(steps, store, one, jobs, work) as (folder, manifest):
            yield folder, manifest
