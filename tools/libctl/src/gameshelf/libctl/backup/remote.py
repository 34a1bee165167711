"""Backups in a bucket: what is there, one more, one back, and the deletion of expired ones.

A backup is a group of objects below ``PREFIX/ID/``. Its manifest is uploaded at the end, once the sizes of all others
were seen in the bucket, and deleted at the end: what has a manifest was whole once.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from gameshelf.libctl.backup import manifest as manifests
from gameshelf.libctl.backup.bucket import BackupBucket, Listed, Unfinished
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.retention import BackupState, Stored, newest_good
from gameshelf.libctl.backup.sealing import may_hold, sealed_size
from gameshelf.libctl.backup.workspace import workspace
from gameshelf.libctl.errors import NothingFound, Refused

_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_TIME = "%Y%m%dT%H%M%SZ"
_LARGEST_MANIFEST = 256 << 20
_LONGEST_UPLOAD = timedelta(days=2)


def new_id(point: datetime) -> str:
    return f"{point.astimezone(UTC):{_TIME}}-{token_hex(4)}"


def point_of(backup_id: str) -> datetime | None:
    """Returns the moment of a backup, or None for a name that isn't ours."""
    match = _ID.fullmatch(backup_id)
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


async def upload(steps: Steps, bucket: BackupBucket, folder: Path, manifest: Manifest, jobs: int) -> str:
    """Returns the id of the backup. What fails before its manifest is there removes what it has uploaded."""
    backup_id = new_id(manifest.restored_point)
    names = [file.path for file in manifest.files]
    try:
        with steps.bars():
            uploaded = steps.counting("encrypting and uploading", len(names), "files")

            async def put(name: str) -> None:
                await bucket.put(f"{backup_id}/{name}", folder / name)
                uploaded()

            await each(names, jobs, put)
        there = {entry.name: entry.bytes async for entry in bucket.list(f"{backup_id}/")}
        for file in manifest.files:
            if there.get(f"{backup_id}/{file.path}") != sealed_size(file.bytes, bucket.keys):
                raise Refused(f"the store does not hold all of {file.path}", "repeat; look at the store's own log")
    except BaseException:
        await _remove(steps, bucket, backup_id)
        raise
    await bucket.put_bytes(f"{backup_id}/{manifests.NAME}", (folder / manifests.NAME).read_bytes())
    return backup_id


async def _remove(steps: Steps, bucket: BackupBucket, backup_id: str) -> None:
    """Deletes what a failed upload has left, as far as the store allows it."""
    try:
        async for entry in bucket.list(f"{backup_id}/"):
            await bucket.delete(entry.name)
    except Refused as refused:
        steps.say(f"{backup_id} stays incomplete in the bucket: {refused.message}")


async def each(names: Sequence[str], jobs: int, work: Callable[[str], Awaitable[None]]) -> None:
    """Calls ``work`` for every name, up to ``jobs`` at once.

    The first failure begins nothing new, and is raised once what runs has ended: a store may still complete a request
    that is cancelled, after everything was deleted.
    """
    waiting = list(reversed(names))

    async def worker() -> None:
        while waiting:
            try:
                await work(waiting.pop())
            except BaseException:
                waiting.clear()
                raise

    for ended in await asyncio.gather(*(worker() for _ in range(min(jobs, len(waiting)))), return_exceptions=True):
        if ended is not None:
            raise ended


async def stored(bucket: BackupBucket) -> list[Stored]:
    """Returns all backups below the address, the oldest first; names that aren't ours are left out.

    One that cannot be read does not hide the others.
    """
    groups: dict[str, list[Listed]] = {}
    async for entry in bucket.list():
        backup_id = entry.name.partition("/")[0]
        if point_of(backup_id) and "/" in entry.name:
            groups.setdefault(backup_id, []).append(entry)
    return [await _examined(bucket, backup_id, groups[backup_id]) for backup_id in sorted(groups)]


async def chosen(steps: Steps, bucket: BackupBucket, backup_id: str | None, now: datetime) -> Stored:
    """Returns the backup of that id, or the newest good one. Raises NothingFound, or Refused for a damaged one."""
    found = await stored(bucket)
    if backup_id is None:
        newest = newest_good(found, now)
        if newest is None:
            raise NothingFound(f"{bucket.address} holds no good backup", f"libctl backup list {bucket.address}")
        for one in found:
            if one.point > newest.point:
                steps.say(f"{one.id} is newer, but {one.state}: {one.problem or 'it is dated in the future'}", "red")
        return newest
    for one in found:
        if one.id == backup_id:
            if one.state == "good":
                return one
            raise Refused(f"{backup_id} is {one.state}: {one.problem}", "use another backup", code="BACKUP_DAMAGED")
    raise NothingFound(f"{bucket.address} holds no backup {backup_id}", f"libctl backup list {bucket.address}")


async def manifest_of(steps: Steps, bucket: BackupBucket, one: Stored) -> Manifest:
    with workspace(None, steps.say) as folder:
        await bucket.fetch(f"{one.id}/{manifests.NAME}", folder / manifests.NAME)
        return Manifest.read(folder)


@asynccontextmanager
async def downloaded(
    steps: Steps, bucket: BackupBucket, one: Stored, jobs: int, work: Path | None
) -> AsyncIterator[tuple[Path, Manifest]]:
    """The folder and the manifest of a backup, for the length of a block: the folder holds plain data."""
    with workspace(work, steps.say) as made:
        folder = made / one.id
        await bucket.fetch(f"{one.id}/{manifests.NAME}", folder / manifests.NAME)
        manifest = Manifest.read(folder)
        with steps.bars():
            fetched = steps.counting("downloading and decrypting", len(manifest.files), "files")

            async def fetch(name: str) -> None:
                if ".." in Path(name).parts or Path(name).is_absolute():
                    raise Refused(f"{one.id} has a file outside of it: {name}", "use another backup")
                await bucket.fetch(f"{one.id}/{name}", folder / name)
                fetched()

            await each([file.path for file in manifest.files], jobs, fetch)
        yield folder, manifest


async def delete(steps: Steps, bucket: BackupBucket, past: Sequence[Stored]) -> tuple[list[str], list[str]]:
    """Deletes backups; returns the ids of those that are gone, and of those that the store did not delete.

    The manifest goes last: an interrupted deletion leaves a damaged backup, which is deleted by the next run.
    """
    gone: list[str] = []
    kept: list[str] = []
    for one in past:
        try:
            for name in one.objects:
                await bucket.delete(name)
            gone.append(one.id)
        except Refused as refused:
            kept.append(one.id)
            steps.say(f"{one.id} is not deleted: {refused.message}")
    return gone, kept


async def abandoned(steps: Steps, bucket: BackupBucket, now: datetime) -> list[Unfinished]:
    """Returns unfinished uploads of objects of backups that were begun two days ago or earlier, the oldest first."""
    try:
        found = [upload async for upload in bucket.unfinished() if upload.begun_at <= now - _LONGEST_UPLOAD]
    except Refused as refused:  # not every store has this list, and not every key has the right to it
        steps.say(f"unfinished uploads can't be listed: {refused.message}")
        return []
    ours = (upload for upload in found if point_of(upload.name.partition("/")[0]))
    return sorted(ours, key=lambda upload: upload.begun_at)


async def abort(steps: Steps, bucket: BackupBucket, uploads: Sequence[Unfinished]) -> int:
    """Aborts uploads; returns how many."""
    ended = 0
    for upload in uploads:
        try:
            await bucket.abort(upload)
            ended += 1
        except Refused as refused:
            steps.say(f"an upload of {upload.name} is not aborted: {refused.message}")
    return ended


async def _examined(bucket: BackupBucket, backup_id: str, entries: Sequence[Listed]) -> Stored:
    """Looks at a backup as far as possible without its content."""
    last = f"{backup_id}/{manifests.NAME}"
    sizes = {entry.name: entry.bytes for entry in entries}
    ordered = sorted(sizes, key=lambda name: (name == last, name))
    state, problem = await _state(bucket, backup_id, last, sizes)
    point = point_of(backup_id)
    assert point is not None
    return Stored(backup_id, point, state, sum(sizes.values()), tuple(ordered), problem)


async def _state(bucket: BackupBucket, backup_id: str, last: str, sizes: Mapping[str, int]) -> tuple[BackupState, str]:
    if last not in sizes:
        return "incomplete", "it has no manifest: its upload is under way, or was killed"
    try:
        content = json.loads(await bucket.get_bytes(last, _LARGEST_MANIFEST))
        files = {f"{backup_id}/{file['path']}": int(file["bytes"]) for file in content["files"]}
    except Refused as refused:
        return "unreadable", refused.message
    except (ValueError, KeyError, TypeError):
        return "unreadable", f"{last} isn't a manifest"
    missing = [name for name, size in files.items() if not may_hold(sizes.get(name, 0), size)]
    if missing:
        return "damaged", f"{len(missing)} objects are missing or cut, such as {missing[0]}"
    return "good", ""
