"""Any actions of three devices with sets and single files leave what a model of the contract has: whole versions, units
that somebody saved, and a quota of the distinct live bytes.

The model takes over from the rows what was pruned, after it has checked that it was free to go, and whether the base of
a merge is known.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from random import Random

import pytest
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    IncompleteSet,
    OutdatedDecision,
    Resolve,
    SavegameBaseNotSynced,
    SavegameShrinks,
    SavegameSlotNotFound,
    SavegameVersionNotFound,
    UploadResult,
    UserQuotaExceeded,
    VersionChanges,
    verify_file,
)
from gameshelf.savegames._lists import decode

QUOTA = 45
LIMITS = {"max_bytes": 5, "quota_bytes": QUOTA, "max_versions": 3}
DEVICES = ["pc", "deck", "laptop"]
NAMES = ["one", "two"]
HOURS = [0, 0.5, 1, 1.1, 24, 24, 72, 24 * 31]
UNITS = [
    [{}, {"s/w1/a": b"1"}, {"s/w1/a": b"22"}, {"s/w1/a": b"1", "s/w1/c": b"333"}],
    [{"s/w2/b": b"1"}, {"s/w2/b": b"22"}, {"s/w2/b": b"4444"}, {"s/w2/b": b"4444", "s/w2/d": b"22"}],
]
SETS = [one | two for one, two in product(*UNITS)]
SINGLES = [b"1", b"22", b"55555"]


def identity(content):
    """What lineage compares: a set is never the same as a file."""
    return frozenset(content.items()) if isinstance(content, dict) else content


def data_of(content):
    return set(content.values()) if isinstance(content, dict) else {content}


def unit(content, name):
    return {path: data for path, data in content.items() if path.startswith(f"s/{name}/")}


def merged(base, head, branch):
    """The merge of two sets that needs no choice; None: it needs one."""
    found = {}
    for name in ("w1", "w2"):
        was, ours, theirs = (unit(one, name) for one in (base, head, branch))
        if ours != theirs and was not in (ours, theirs):
            return None
        found |= theirs if was == ours else ours
    return found if found and not shrinks(head, found) else None


def shrinks(head, new):
    """Whether the new files lack so much of the head that a request would have to confirm that."""
    gone, sizes = head.keys() - new.keys(), {path: len(data) for path, data in head.items()}
    is_most = 2 * len(gone) > len(head) or 2 * sum(sizes[path] for path in gone) > sum(sizes.values())
    has_lost_unit = any(unit(head, name) and not unit(new, name) for name in ("w1", "w2"))
    return len(head) >= 3 and bool(gone) and (is_most or has_lost_unit)


@dataclass
class Version:
    parents: tuple[int, ...]
    content: object
    is_kept: bool = True
    is_pinned: bool = False


@dataclass
class Slot:
    id: object
    name: str
    head: int = 0
    versions: dict[int, Version] = field(default_factory=dict)
    conflicts: dict[object, int] = field(default_factory=dict)
    trashed: bool = False

    def ancestors(self, version):
        return {version}.union(*(self.ancestors(one) for one in self.versions[version].parents if one), set())

    def fork(self, version):
        """The first version of the head's history that a version grew from."""
        history = self.ancestors(self.head)
        while version and version not in history:
            version = self.versions[version].parents[0]
        return version

    def end_equal(self, content, number):
        """Ends the conflicts of branches with the content of a new head; returns which of them it grew from, too."""
        tips = [tip for tip in self.conflicts.values() if self.versions[tip].is_kept]
        equal = {tip for tip in tips if identity(self.versions[tip].content) == identity(content)}
        self.conflicts = {key: tip for key, tip in self.conflicts.items() if tip not in equal}
        return tuple(tip for tip in sorted(equal)[:1] if tip < number)

    def relation(self, base, content):
        def leads(version):
            return base in (version, 0) or base in self.ancestors(version)

        if not self.head:
            return UploadResult.HEAD
        head = self.versions[self.head]
        if head.is_kept and identity(head.content) == identity(content):
            return UploadResult.IDENTICAL
        if base == self.head:
            return UploadResult.HEAD
        history = [(one, self.versions[one]) for one in self.ancestors(self.head)]
        kept = [(one, old) for one, old in history if old.is_kept or one == base]
        same = [one for one, old in kept if identity(old.content) == identity(content)]
        return UploadResult.BEHIND if any(map(leads, same)) else UploadResult.CONFLICT


@dataclass
class Upload:
    reservation: object
    slot: Slot
    base: int
    content: dict
    device: str


class World:
    """The sets of a player beside the model of them."""

    def __init__(self, sets):
        self.sets, self.player = sets, sets.player
        self.slots, self.uploads = [], []
        self.seen_units = {name: [{}] for name in ("w1", "w2")}

    def seen(self):
        return [slot for slot in self.slots if slot.head and not slot.trashed]

    def slot_named(self, name):
        return next((slot for slot in self.slots if slot.name == name and not slot.trashed), None)

    def change(self):
        return self.player.connection.transaction()

    async def fetch(self, query, *values):
        return await self.player.connection.fetch(query, self.player.id, *values)

    # Actions of devices

    async def request(self, name, content, base, device):
        """A device requests an upload of a set; it confirms what it removes. Its base was synced, or it has none."""
        slot, device = self.slot_named(NAMES[name % 2]), DEVICES[device % 3]
        content = SETS[content % len(SETS)]
        number = sorted(slot.versions)[base % len(slot.versions)] if slot and slot.versions and base % 4 else 0
        if base % 3 == 0 and slot:
            number = slot.head
        if number:
            await self.synced_with(slot, device, number)
        more = {"device_id": device, "base_version": number}
        try:
            async with self.change():
                reservation = await self.sets.request(content, NAMES[name % 2], **more)
        except SavegameShrinks as shrinks:
            more["confirm_removals"] = shrinks.meta["removed"]
            reservation = await self.request_again(content, name, more)
        except SavegameBaseNotSynced:
            assert number == slot.head
            return None
        except UserQuotaExceeded:
            return None
        if reservation is None:
            return None
        if reservation.is_deleted:
            assert any(slot.trashed for slot in self.slots)
            return None
        if slot is None:
            slot = Slot(reservation.slot_id, NAMES[name % 2])
            self.slots.append(slot)
        same = [one for one in self.uploads if one.reservation.upload_id == reservation.upload_id]
        if same:
            assert (same[0].slot, same[0].base, same[0].content) == (slot, number, content)
            return same[0]
        self.uploads.append(Upload(reservation, slot, number, content, device))
        return self.uploads[-1]

    async def request_again(self, content, name, more):
        try:
            async with self.change():
                return await self.sets.request(content, NAMES[name % 2], **more)
        except (SavegameBaseNotSynced, UserQuotaExceeded):
            return None

    async def synced_with(self, slot, device, number):
        if slot.versions[number].is_kept and number == slot.head:
            await self.player.synced(slot.id, device, number)

    async def verify_some(self, pick, count):
        """Some files arrive and are verified; then the connection is cut."""
        if self.uploads:
            upload = self.uploads[pick % len(self.uploads)]
            contents = sorted(data_of(upload.content))
            await self.verify(upload, contents[: count % (len(contents) + 1)])

    async def verify(self, upload, contents):
        reservation = upload.reservation
        try:
            renewed = await self.sets.sets.renew(self.player.id, reservation.upload_id)
            if renewed is None:
                return
            self.sets.send(renewed, *contents)
            results, after = [], b""
            while True:
                async with self.change():
                    work = await self.sets.sets.begin(self.player.id, reservation.upload_id, results, after, 2)
                if not work.attempts:
                    return
                results = [await verify_file(self.sets.objects, one) for one in work.attempts]
                after = work.attempts[-1].sha256
        except SavegameVersionNotFound:
            assert reservation.expires_at <= self.player.now

    async def commit(self, pick):
        if self.uploads:
            await self.commit_of(self.uploads[pick % len(self.uploads)])

    async def commit_of(self, upload):
        slot = upload.slot
        found = slot.relation(upload.base, upload.content)
        base = await self.known_base(slot, upload.base) if found is UploadResult.CONFLICT else None
        try:
            async with self.change():
                outcome = await self.sets.sets.finish(self.player.id, upload.reservation.upload_id)
        except SavegameVersionNotFound:
            self.uploads.remove(upload)  # it has expired, or was cancelled with its save
            return
        except UserQuotaExceeded:
            return
        if isinstance(outcome, IncompleteSet):
            assert {one.sha256 for one in outcome.missing} <= {sha256(one).digest() for one in data_of(upload.content)}
            assert outcome.missing
            return
        self.uploads.remove(upload)
        self.place(slot, upload.base, upload.content, outcome, found, base)

    def place(self, slot, base, content, outcome, found, known_base):
        """Adds the version of an outcome to the model, once it is the expected one."""
        if found in (UploadResult.IDENTICAL, UploadResult.BEHIND):
            assert (outcome.result, outcome.version) == (found, slot.head)
            return
        for name in self.seen_units if isinstance(content, dict) else ():
            self.seen_units[name].append(unit(content, name))
        if found is UploadResult.HEAD:
            assert outcome.result is UploadResult.HEAD
            parents = (base, *slot.end_equal(content, outcome.version))
            slot.versions[outcome.version] = Version(parents, content)
            slot.head = outcome.version
            return
        slot.versions[outcome.branch_version] = Version((base,), content)
        slot.conflicts[outcome.conflict_id] = outcome.branch_version
        head = slot.versions[slot.head].content
        can_merge = isinstance(head, dict) and isinstance(content, dict) and known_base is not None
        expected = merged(known_base, head, content) if can_merge else None
        if expected is None:
            assert outcome.result is UploadResult.CONFLICT
            return
        assert (outcome.result, outcome.resolution) == (UploadResult.RESOLVED, "merge")
        self.ended(slot, outcome.conflict_id, expected, outcome.version)

    async def known_base(self, slot, base):
        """The files of the version that a branch leaves the head's history at, if they are known."""
        fork = slot.fork(base)
        if not fork:
            return {}
        [row] = await self.fetch(
            "SELECT manifest_id FROM savegames.savegame_metadata WHERE user_id = $1 AND slot_id = $2 AND version = $3",
            slot.id,
            fork,
        )
        return slot.versions[fork].content if row["manifest_id"] else None

    def ended(self, slot, conflict_id, content, version):
        tip = slot.conflicts.pop(conflict_id)
        slot.versions[version] = Version((slot.head, tip), content)
        slot.end_equal(content, version)
        slot.head = version

    async def save(self, name, content, base, device):
        upload = await self.request(name, content, base, device)
        if upload:
            await self.verify(upload, data_of(upload.content))
            await self.commit_of(upload)

    async def save_single(self, name, content):
        """A device saves a single file onto the head."""
        slot, content = self.slot_named(NAMES[name % 2]), SINGLES[content % 3]
        base = slot.head if slot else 0
        found = slot.relation(base, content) if slot else UploadResult.HEAD
        replaced = slot.versions[slot.head].content if slot and slot.head else b""
        removed = len(replaced) if isinstance(replaced, dict) else None
        try:
            async with self.change():
                more = {"base_version": base, "confirm_removals": removed}
                outcome = await self.player.save(content, NAMES[name % 2], **more)
        except UserQuotaExceeded:
            return
        if outcome.result is UploadResult.DELETED:
            return
        if slot is None:
            slot = Slot(outcome.slot_id, NAMES[name % 2])
            self.slots.append(slot)
        self.place(slot, base, content, outcome, found, None)

    # Actions of players

    async def resolve(self, pick, way, side):
        conflicts = [(slot, key) for slot in self.seen() for key in slot.conflicts]
        if not conflicts:
            return
        slot, key = conflicts[pick % len(conflicts)]
        tip, way = slot.conflicts[key], ["keep_local", "keep_cloud", "keep_both", "merge", "merge"][way % 5]
        head, branch = slot.versions[slot.head].content, slot.versions[tip].content
        choice = {"resolution": way, "head_version": slot.head, "branch_version": tip}
        if way == "merge":
            choice["units"] = {"w1": "head", "w2": "branch"} if side % 2 else {"w1": "branch", "w2": "head"}
        try:
            async with self.change():
                found = await self.player.conflicts.resolve(self.player.id, key, Resolve(**choice))
        except DomainError:
            assert way == "merge"
            is_whole = isinstance(head, dict) and isinstance(branch, dict)
            assert not (is_whole and all(unit(one, name) for one in (head, branch) for name in ("w1", "w2")))
            return
        assert not isinstance(found, OutdatedDecision)
        if way == "keep_both":
            slot.conflicts.pop(key)
            await self.take_over_copy(found.copy_slot_id, branch)
            return
        kept = branch if way == "keep_local" else head
        if way == "merge":
            sides = (head, branch) if side % 2 else (branch, head)
            kept = unit(sides[0], "w1") | unit(sides[1], "w2")
        [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot.id)
        self.ended(slot, key, kept, row["head_version"])

    async def take_over_copy(self, slot_id, content):
        [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot_id)
        versions = {row["head_version"]: Version((0,), content)}
        self.slots.append(Slot(slot_id, row["slot_name"], row["head_version"], versions))

    async def restore(self, pick, version, units):
        if not (seen := self.seen()):
            return
        slot = seen[pick % len(seen)]
        number = sorted(slot.versions)[version % len(slot.versions)]
        names = ["w1"] if units % 2 else None
        head, old = slot.versions[slot.head].content, slot.versions[number].content
        try:
            async with self.change():
                await self.player.service.restore(self.player.id, slot.id, number, units=names)
        except SavegameVersionNotFound:
            assert not slot.versions[number].is_kept
            return
        except DomainError:
            are_sets = isinstance(head, dict) and isinstance(old, dict)
            assert names
            assert not are_sets or not (unit(head, "w1") or unit(old, "w1"))
            return
        if number == slot.head:
            return
        [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot.id)
        restored = unit(old, "w1") | unit(head, "w2") if names else old
        parents = (slot.head, *slot.end_equal(restored, row["head_version"]))
        slot.versions[row["head_version"]] = Version(parents, restored)
        slot.head = row["head_version"]

    async def pin(self, pick, version, is_pinned):
        if seen := self.seen():
            slot = seen[pick % len(seen)]
            number = sorted(slot.versions)[version % len(slot.versions)]
            try:
                async with self.change():
                    changes = VersionChanges(is_pinned=bool(is_pinned % 2))
                    await self.player.service.change_version(self.player.id, slot.id, number, changes)
            except DomainError:
                return
            slot.versions[number].is_pinned = bool(is_pinned % 2)

    async def delete(self, pick, is_permanent):
        if self.slots:
            slot, permanent = self.slots[pick % len(self.slots)], is_permanent % 2 == 0
            try:
                async with self.change():
                    await self.player.service.delete(self.player.id, slot.id, permanent=permanent)
            except SavegameSlotNotFound:
                assert not slot.head or slot.trashed
                return
            self.uploads = [one for one in self.uploads if one.slot is not slot]
            if permanent:
                self.slots.remove(slot)
            slot.trashed = True

    async def undelete(self, pick):
        if trash := [slot for slot in self.slots if slot.trashed]:
            slot = trash[pick % len(trash)]
            await self.player.service.undelete(self.player.id, slot.id)
            [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot.id)
            slot.name, slot.trashed = row["slot_name"], False

    async def cancel(self, pick):
        if self.uploads:
            upload = self.uploads.pop(pick % len(self.uploads))
            try:
                async with self.change():
                    await self.player.uploads.cancel(self.player.id, upload.reservation.upload_id)
            except SavegameVersionNotFound:
                return

    async def sweep(self, hours):
        """Time passes, and the jobs run."""
        self.player.later(hours=HOURS[hours % len(HOURS)])
        await self.player.sweep()
        known = {row["s3_object_key"] for row in await self.player.rows("contents")}
        everything = await self.sets.objects.list("")
        # Those of uploads are the sweeper's: it is not a part of the package's services.
        await self.sets.objects.delete(
            [one.key for one in everything if one.key not in known and not one.key.startswith("incoming/")]
        )
        slots = {row["id"] for row in await self.player.rows("slots")}
        self.slots = [slot for slot in self.slots if slot.id in slots]
        ids = {row["id"] for row in await self.player.rows("uploads")}
        self.uploads = [one for one in self.uploads if one.reservation.upload_id in ids]

    # Invariants

    async def check(self):
        tables = await self.player.check()
        slots = {slot.id: slot for slot in self.slots}
        by_id = {row["id"]: row for row in tables["contents"]}
        lists = {row["id"]: decode(row["body"]) for row in tables["manifests"]}
        files = {}
        for row in tables["metadata"]:
            slot = slots[row["slot_id"]]
            version = slot.versions[row["version"]]
            if row["content_id"] is None:
                tips = set(slot.conflicts.values())
                assert not version.is_pinned
                assert row["version"] not in {slot.head, *tips}
                version.is_kept = False
                continue
            assert version.is_kept
            if isinstance(version.content, dict):
                listed = {file.path: file.sha256 for file in lists[row["manifest_id"]]}
                assert listed == {path: sha256(data).digest() for path, data in version.content.items()}
                for name, seen in self.seen_units.items():
                    assert unit(version.content, name) in seen
            files[row["slot_id"], row["version"]] = version
        kept = {(slot.id, n) for slot in self.slots for n, one in slot.versions.items() if one.is_kept}
        assert files.keys() == kept
        assert {row["id"]: row["head_version"] or 0 for row in tables["slots"]} == {
            slot.id: slot.head for slot in self.slots
        }
        self.check_objects(by_id.values(), tables)
        await self.check_quota(by_id, tables)
        await self.check_bases(tables, slots)

    def check_objects(self, contents, tables):
        """Each content of a list has an object with exactly its bytes."""
        listed = {row["content_id"] for row in tables["manifest_contents"]}
        for row in contents:
            data = self.sets.objects.content(row["s3_object_key"])
            if row["id"] in listed and row["s3_object_key"] not in self.player.objects:
                assert data is not None
                assert sha256(data).digest() == row["file_hash_sha256"]

    async def check_quota(self, by_id, tables):
        """What is used are the bytes of the distinct live files; what is reserved, those that uploads await."""
        live = {row["file_hash_sha256"]: row["file_size_bytes"] for row in by_id.values() if row["state"] == "live"}
        files = [row for row in by_id.values() if row["state"] == "live" and row["kind"] == "file"]
        of_versions = {
            data
            for slot in self.slots
            for one in slot.versions.values()
            if one.is_kept
            for data in data_of(one.content)
        }
        joined = {by_id[row["content_id"]]["file_hash_sha256"] for row in tables["manifest_contents"]}
        held = {sha256(data).digest() for data in of_versions} | joined
        assert {row["file_hash_sha256"] for row in files} == held
        open_ids = {row["id"] for row in tables["uploads"] if row["outcome"] is None}
        awaited = {
            row["sha256"]: row["size_bytes"]
            for row in await self.player.rows("upload_files")
            if row["upload_id"] in open_ids and row["sha256"] not in live
        }
        used = sum(row["file_size_bytes"] for row in files)
        assert await self.player.usage() == (used, sum(awaited.values()))
        assert used <= QUOTA

    async def check_bases(self, tables, slots):
        """A list of a pruned version stays while a device, an open conflict or an open upload has grown from it."""
        lists = {(row["slot_id"], row["version"]) for row in tables["metadata"] if row["manifest_id"]}
        for row in await self.player.rows("devices"):
            version = slots[row["slot_id"]].versions[row["version"]]
            if isinstance(version.content, dict):
                assert (row["slot_id"], row["version"]) in lists


WEIGHTS = {
    World.save: 14,
    World.save_single: 2,
    World.request: 3,
    World.verify_some: 3,
    World.commit: 3,
    World.resolve: 4,
    World.restore: 2,
    World.pin: 1,
    World.delete: 1,
    World.undelete: 2,
    World.cancel: 1,
    World.sweep: 2,
}


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))])
async def test_any_history_of_sets_is_whole_and_counted(new_player, of_player, seed):
    random = Random(seed)
    player = new_player(**LIMITS)
    await player.set_policy()
    world = World(of_player(player))
    for action in random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=100):
        picked = [random.randrange(60) for _ in range(action.__code__.co_argcount - 1)]
        print(action.__name__, *picked)  # shown where it fails
        await action(world, *picked)
        await world.check()
        player.later(seconds=1)
