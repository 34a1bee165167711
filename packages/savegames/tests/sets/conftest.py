"""Requests for uploads of sets, and their verification over a store in memory."""

from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.savegames import FileEntry, NewSet, SavegameSets, verify_file
from gameshelf.savegames._lists import decode
from gameshelf.savegames.s3 import S3Config, S3ObjectStore
from gameshelf.savegames.testing import MemoryStore


class SetPlayer:
    """The sets of a player, whose bytes are in a store in memory."""

    def __init__(self, player):
        self.player = player
        self.id = player.id
        self.objects = MemoryStore()
        made = (player.connection, player.events.append, player.access, player.clock, player.limits)
        self.sets = SavegameSets(*made)

    @staticmethod
    def hash_of(data):
        return sha256(data).hexdigest()

    def entry(self, path, data, **more):
        """The entry of a file with these bytes."""
        return FileEntry(path=path, size_bytes=len(data), sha256=self.hash_of(data), **more)

    def new(self, files, slot="slot", **more):
        """A request for an upload of a set: bytes by path, or entries; None: a delta."""
        about = {"product_id": self.player.product, "save_slot_name": slot, "device_id": "pc"}
        if isinstance(files, dict):
            about["files"] = tuple(self.entry(path, data) for path, data in files.items())
        elif files is not None:
            about["files"] = files
        return NewSet(**about | more)

    async def request(self, files, slot="slot", **more):
        """Requests an upload of files; the path None stands for a single file."""
        return await self.sets.request(self.id, self.new(files, slot, **more))

    def send(self, reservation, *sent):
        """Sends bytes to those keys of a reservation that are for them."""
        by_hash = {sha256(data).digest(): data for data in sent}
        for missing in reservation.missing:
            if missing.sha256 in by_hash:
                self.objects.upload(missing.key, by_hash[missing.sha256])

    def send_all(self, reservation, files):
        self.send(reservation, *files.values())

    async def verify(self, reservation, limit=64):
        """Verifies what was sent, in batches; returns the results, and the last batch, which is empty."""
        results, after, everything = [], b"", []
        while True:
            work = await self.sets.begin(self.id, reservation.upload_id, results, after, limit)
            if not work.attempts:
                return everything, work
            results = [await verify_file(self.objects, one) for one in work.attempts]
            everything += results
            after = work.attempts[-1].sha256

    async def save(self, files, slot="slot", delta=None, **more):
        """Requests, sends, verifies and commits; a delta stands in place of its files. Returns the outcome."""
        what = files if delta is None else None
        reservation = await self.request(what, slot, **(delta or {}), **more)
        self.send_all(reservation, files)
        await self.verify(reservation)
        outcome = await self.sets.finish(self.id, reservation.upload_id)
        self.player.later(seconds=1)
        return outcome

    def delta(self, base, before, after):
        """The delta that makes a version with these files of another one."""
        lines = sorted((path, self.hash_of(data)) for path, data in after.items())
        text = "".join(f"{found} {path}\n" for path, found in lines)
        return {
            "base_version": base,
            "put": tuple(self.entry(path, data) for path, data in after.items() if before.get(path) != data),
            "remove": tuple(path for path in before if path not in after),
            "set_sha256": self.hash_of(text.encode()),
        }

    async def rows(self, table):
        return await self.player.rows(table)

    async def listed(self):
        """The paths of every list."""
        return [[file.path for file in decode(row["body"])] for row in await self.rows("manifests")]


@pytest.fixture
def sets(player):
    return SetPlayer(player)


@pytest.fixture
def of_player():
    """Makes the sets of a player."""
    return SetPlayer


@pytest.fixture
async def bucket(s3):
    """An empty bucket of a real store."""
    name = f"b{uuid4().hex[:12]}"
    s3.create_bucket(name)
    config = S3Config(bucket=name, endpoint=s3.endpoint, access_key_id=s3.access_key, secret_access_key=s3.secret_key)
    objects = S3ObjectStore(config)
    await objects.open()
    yield objects
    await objects.close()
