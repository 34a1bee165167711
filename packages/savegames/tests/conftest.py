"""A player and their saves on a real PostgreSQL. The store is a set of keys."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.access import AllButBarred
from gameshelf.devstack.databases import prepared_once
from gameshelf.kernel.paging import Page
from gameshelf.savegames import (
    MIGRATIONS,
    Digest,
    FileResult,
    Limits,
    NewSet,
    NewUpload,
    SavedObject,
    SavegameAdoption,
    SavegameConflicts,
    SavegameQueries,
    SavegameService,
    SavegameSets,
    SavegameSweeps,
    SavegameUploads,
    Synced,
    metadata_of,
    object_key,
    part_key,
)
from gameshelf.savegames._files import hash_of, identity_of
from gameshelf.savegames._lists import decode, encode
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._policies import SavePolicy

# Tables with references stand after the tables that they refer to.
TABLES = (
    "slots",
    "contents",
    "manifests",
    "manifest_contents",
    "metadata",
    "uploads",
    "upload_files",
    "conflicts",
    "devices",
    "numbers",
)
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Player:
    """One player's saves of one game, with methods to change and to inspect them."""

    def __init__(self, connection, limits, serialise=None):
        self.connection = connection
        self.limits = limits
        self.now = NOW
        self.id, self.product = uuid4(), uuid4()
        self.access = AllButBarred()
        self.events = []
        self.objects = set()  # the keys of the objects in the store
        self.written = {}  # size, metadata and time of each object that was ever created
        self.has_lost = False  # whether the store has lost an object that is never pruned
        made = (connection, self.events.append)
        self.uploads = SavegameUploads(*made, self.access, self.clock, limits, serialise=serialise)
        self.service = SavegameService(*made, self.clock, limits, serialise)
        self.conflicts = SavegameConflicts(*made, self.clock, limits, serialise)
        self.adoption = SavegameAdoption(*made, self.clock, limits, serialise=serialise)
        self.sweeps = SavegameSweeps(connection, self.clock, limits)
        self.queries = SavegameQueries(connection)
        self.sets = SavegameSets(*made, self.access, self.clock, limits, "bucket", serialise=serialise)

    def clock(self):
        return self.now

    def later(self, **more):
        self.now += timedelta(**more)

    async def request(self, content, slot="slot", **more):
        new = {
            "product_id": self.product,
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            **more,
        }
        return await self.uploads.request(self.id, NewUpload(**new))

    async def confirm(self, reservation, sent=None):
        """Confirms an upload, by default with the announced bytes."""
        attempt = await self.uploads.begin_confirmation(self.id, reservation.upload_id)
        digest = None
        if attempt:
            self.objects.add(attempt.target)
            self.written[attempt.target] = (attempt.size, metadata_of(attempt.target, attempt.metadata), self.now)
            digest = Digest(attempt.size, attempt.content)
        if sent is not None:
            digest = Digest(len(sent), sha256(sent).digest())
        return await self.uploads.finish_confirmation(self.id, reservation.upload_id, attempt, digest)

    async def save(self, content, slot="slot", **more):
        """Uploads and confirms."""
        outcome = await self.confirm(await self.request(content, slot, **more))
        self.later(seconds=1)
        return outcome

    async def synced(self, slot_id, device, version):
        """Reports that a device has the bytes of a version."""
        await self.service.synced(self.id, slot_id, Synced(version=version, device_id=device))

    async def unknown(self):
        """The objects that the database does not know, by save."""
        known = {row["s3_object_key"] for row in await self.rows("contents")}
        found = {}
        for key in sorted(self.objects - known):
            size, metadata, at = self.written[key]
            found.setdefault(metadata.slot_name, []).append(SavedObject(key, size, at, metadata))
        return found

    async def adopt(self):
        """Adopts all unknown objects, and returns the results."""
        return [
            one for objects in (await self.unknown()).values() for one in await self.adoption.adopt(self.id, objects)
        ]

    async def backup(self):
        """The player's rows, for ``restore_backup``."""
        return {table: await self.rows(table) for table in TABLES}

    async def restore_backup(self, backup):
        """Restores the rows; the store stays as it is."""
        for table in reversed(TABLES):
            await self.connection.execute(f"DELETE FROM savegames.savegame_{table} WHERE user_id = $1", self.id)
        for table, rows in backup.items():
            for row in rows:
                columns = ", ".join(row.keys())
                places = ", ".join(f"${number + 1}" for number in range(len(row)))
                await self.connection.execute(
                    f"INSERT INTO savegames.savegame_{table} ({columns}) VALUES ({places})", *row.values()
                )

    async def set_policy(self, **policy):
        """Gives the product a policy; without fields one whose first folder below `s` is the unit, and that merges."""
        units = [{"name": "{w}", "match": ["s/{w}/**"]}]
        stored = SavePolicy.model_validate(policy or {"merge": "units", "units": units}).model_dump_json()
        await self.connection.execute(
            "INSERT INTO savegames.savegame_policies VALUES ($1, 1, 'catalog', $2, $3, $3) "
            "ON CONFLICT (product_id) DO UPDATE SET policy = $2",
            self.product,
            stored,
            self.now,
        )

    async def sweep(self):
        """Does the work of the jobs; returns the keys of the objects to be deleted."""
        if self.id in await self.sweeps.users_with_expired_uploads(1000):
            await self.uploads.expire(self.id)
        for user_id, slot_id in await self.sweeps.long_in_trash(1000):
            if user_id == self.id:
                await self.service.purge(user_id, slot_id, self.sweeps.trash_before)
        for user_id, slot_id in await self.sweeps.to_prune(1000):
            if user_id == self.id:
                await self.service.prune(user_id, slot_id)
        marked = [one for one in await self.sweeps.mark_for_deletion(1000) if one.user_id == self.id]
        self.objects -= {one.key for one in marked}
        await self.sweeps.remove_deleted(marked)
        return [one.key for one in marked]

    async def usage(self):
        usage = await self.queries.usage(self.id)
        return usage.used_bytes, usage.reserved_bytes

    async def rows(self, table):
        return await self.connection.fetch(f"SELECT * FROM savegames.savegame_{table} WHERE user_id = $1", self.id)

    async def versions(self, slot_id):
        """The parents and the status of each version."""
        found = await self.queries.versions(self.id, slot_id, Page(1, 100))
        return {one.version: (one.parent_version, one.merged_version, str(one.status)) for one in found.items}

    async def check(self):
        """Asserts the invariants of the tables, and returns their rows for further assertions."""
        names = ("slots", "metadata", "contents", "uploads", "conflicts", "manifests", "manifest_contents")
        tables = {name: await self.rows(name) for name in names}
        check_trees(**tables, has_lost=self.has_lost)
        check_contents(**tables)
        return tables


class SetSteps:
    """What devices do to upload sets, in steps. A set is a mapping of paths to bytes."""

    def __init__(self, player):
        self.player = player

    async def request(self, files, slot="slot", device="pc", **more):
        """Requests an upload of files, and returns its reservation."""
        entries = [
            {"path": path, "size_bytes": len(data), "sha256": sha256(data).hexdigest()} for path, data in files.items()
        ]
        about = {"product_id": self.player.product, "save_slot_name": slot, "device_id": device}
        return await self.player.sets.request(self.player.id, NewSet(**about, files=entries, **more))

    async def verify(self, reservation, *only, problem=None):
        """Verifies the contents that are awaited, or only those of these, as if they had been sent."""
        player, wanted = self.player, [sha256(data).digest() for data in only]
        work = await player.sets.begin(player.id, reservation.upload_id)
        while work.attempts:
            done = []
            for attempt in work.attempts:
                if not only or attempt.sha256 in wanted:
                    player.objects.add(attempt.target)
                    digest = Digest(attempt.size, attempt.sha256)
                    done.append(FileResult(attempt, digest, problem))
            after = work.attempts[-1].sha256
            work = await player.sets.begin(player.id, reservation.upload_id, done, after)

    async def commit(self, reservation):
        """Commits an upload."""
        return await self.player.sets.finish(self.player.id, reservation.upload_id)

    async def save(self, files, slot="slot", **more):
        """Uploads a set and commits it."""
        reservation = await self.request(files, slot, **more)
        await self.verify(reservation)
        outcome = await self.commit(reservation)
        self.player.later(seconds=1)
        return outcome


def check_trees(slots, metadata, conflicts, has_lost, **_):
    """Parents exist and are older, ``in_head`` marks the head's history, and protected versions have their bytes."""
    by_slot = {slot["id"]: {row["version"]: row for row in metadata if row["slot_id"] == slot["id"]} for slot in slots}
    assert sum(map(len, by_slot.values())) == len(metadata)
    for slot in slots:
        versions, head = by_slot[slot["id"]], slot["head_version"]
        history, waiting = set(), [head or 0]
        while waiting:
            if (version := waiting.pop()) and version not in history:
                history.add(version)
                row = versions[version]
                parents = [parent for parent in (row["parent_version"], row["merged_version"]) if parent is not None]
                assert all(0 <= parent < version for parent in parents)
                waiting += parents
        assert {version for version, row in versions.items() if row["in_head"]} == history
        assert max(versions, default=0) <= slot["last_version"]
        assert slot["slot_key"] in (None, slot_key(slot["slot_name"]))
        assert {0, *versions} >= {row["parent_version"] for row in versions.values()}
        open_ones = {
            row["branch_version"] for row in conflicts if row["slot_id"] == slot["id"] and not row["resolved_at"]
        }
        assert not open_ones & history
        kept = {version for version, row in versions.items() if row["content_id"]}
        pinned = {version for version, row in versions.items() if row["is_pinned"]}
        assert has_lost or {head, *open_ones, *pinned} - {None} <= kept


def check_contents(metadata, contents, uploads, manifests, manifest_contents, **_):
    """Contents that are held are live, once per hash; others are not live. A list holds all of its contents."""
    by_id = {row["id"]: row for row in contents}
    live = {key for key, row in by_id.items() if row["state"] == "live"}
    holders = [row for row in (*metadata, *uploads) if row["content_id"]]
    assert {row["content_id"] for row in (*holders, *manifest_contents)} == live
    assert len({by_id[key]["file_hash_sha256"] for key in live}) == len(live)
    lists = {row["id"]: row for row in manifests}
    held = {key: set() for key in lists}
    for row in manifest_contents:
        held[row["manifest_id"]].add(by_id[row["content_id"]]["file_hash_sha256"])
    for row in holders:
        content = by_id[row["content_id"]]
        if row["file_count"] is not None:
            assert content["kind"] == "list"
            assert held[row["manifest_id"]] == {file.sha256 for file in decode(lists[row["manifest_id"]]["body"])}
        else:
            assert (content["kind"], content["file_hash_sha256"], content["file_size_bytes"]) == (
                "file",
                row["file_hash_sha256"],
                row["file_size_bytes"],
            )
    used = {row["manifest_id"] for row in (*metadata, *uploads)}
    open_lists = {row["manifest_id"] for row in uploads if row["outcome"] is None}
    kept_lists = {row["manifest_id"] for row in metadata if row["content_id"]}
    assert {key for key, contents in held.items() if contents} <= open_lists | kept_lists
    assert used - {None} <= lists.keys()


@pytest.fixture(scope="session")
def savegames_dsn(rolled_back_database):
    return rolled_back_database(MIGRATIONS)


@pytest.fixture(scope="module")
def own_dsn(create_database):
    """A database of this module alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def connection(savegames_dsn):
    """A connection inside a transaction that is rolled back."""
    connection = await asyncpg.connect(savegames_dsn, **prepared_once())
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
async def new_player(connection):
    """Creates players with limits of their own. The invariants are asserted after the test."""
    made = []

    def new(**limits):
        made.append(Player(connection, Limits(**limits)))
        return made[-1]

    yield new
    for player in made:
        await player.check()


@pytest.fixture
def player(new_player):
    """A player with a quota of a thousand bytes, and four versions per slot."""
    return new_player(max_bytes=500, quota_bytes=1000, max_versions=4)


async def _add_set(player, files, slot="slot", version=1, **about):
    """Adds a save with one version, whose list is not written. Returns the content of the list."""
    slot_id, manifest_id, list_id = uuid4(), uuid4(), uuid4()

    async def insert(table, **values):
        columns = ", ".join(values := {"user_id": player.id, **values})
        places = ", ".join(f"${number + 1}" for number in range(len(values)))
        into = f"INSERT INTO savegames.savegame_{table} ({columns}) VALUES ({places})"
        await player.connection.execute(into, *values.values())

    async def add_content(content_id, key, size, content, **more):
        sized = {"s3_object_key": key, "file_size_bytes": size, "file_hash_sha256": content}
        await insert("contents", id=content_id, state="live", created_at=player.now, **sized, **more)

    hashes = {"file_hash_sha256": hash_of(files), "content_identity": identity_of(files), "file_count": len(files)}
    total = sum(file.size for file in files)
    named = {"product_id": player.product, "slot_name": slot, "slot_key": slot}
    numbers = {"head_version": version, "last_version": version}
    await insert("slots", id=slot_id, **named, **numbers, created_at=player.now)
    sizes = {file.sha256: file.size for file in files}
    listed = {"content_count": len(sizes), "total_bytes": total, "body": encode(files), "created_at": player.now}
    await insert("manifests", id=manifest_id, slot_id=slot_id, **hashes, **listed)
    for content, size in sizes.items():
        content_id = uuid4()
        await add_content(content_id, part_key(player.id, player.product, slot, content_id), size, content)
        await insert("manifest_contents", manifest_id=manifest_id, content_id=content_id)
    key = object_key(player.id, player.product, slot, version, list_id, player.now)
    await add_content(list_id, key, 0, list_id.bytes * 2, kind="list", is_written=False)
    placed = {"id": uuid4(), "parent_version": 0, "in_head": True, "server_uploaded_at": player.now}
    held = {"content_id": list_id, "manifest_id": manifest_id, "file_size_bytes": total}
    await insert("metadata", slot_id=slot_id, version=version, **placed, **held, **hashes, **about)
    return list_id


@pytest.fixture(scope="session")
def add_set():
    """Adds the rows of a set, as a commit leaves them."""
    return _add_set


@pytest.fixture
def sets_of():
    """The steps by which a player uploads sets."""
    return SetSteps


@pytest.fixture
def sets(player):
    return SetSteps(player)
