"""Any actions of three devices with sets and single files leave what a model of the contract has: whole versions, units
that somebody saved, and a quota of the distinct live bytes. This is checked after every step, over real bytes.

The model takes over from the rows what was pruned, after it has checked that it was free to go; whether the base of a
merge is known; and which version a device has. Its uploads are interrupted, repeated, damaged and abandoned.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from random import Random

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    DownloadSet,
    IncompleteSet,
    OutdatedDecision,
    Resolve,
    SavegameBaseNotSynced,
    SavegameSetQueries,
    SavegameShrinks,
    SavegameSlotNotFound,
    SavegameUploadIncomplete,
    SavegameVersionNotFound,
    UploadResult,
    UserQuotaExceeded,
    VersionChanges,
    verify_file,
)
from gameshelf.savegames._lists import decode

QUOTA = 24
"""Two thirds of all contents."""
LIMITS = {"max_bytes": 5, "quota_bytes": QUOTA, "max_versions": 3}
DEVICES = ["pc", "deck", "laptop"]
NAMES = ["one", "two"]
HOURS = [0, 0.5, 1, 1.1, 24, 24, 72, 24 * 31]
NAMES_OF_UNITS = ("w1", "w2", "s/")
UNITS = [
    [{}, {"s/w1/a": b"1"}, {"s/w1/a": b"22"}, {"s/w1/a": b"1", "s/w1/c": b"333"}, {"s/w1/a": b"aaaaa"}],
    [
        {"s/w2/b": b"1"},
        {"s/w2/b": b"22"},
        {"s/w2/b": b"4444"},
        {"s/w2/b": b"4444", "s/w2/d": b"22"},
        {"s/w2/b": b"bbbbb"},
    ],
]
LOOSE = [{}, {"s/cfg": b"1"}, {"s/cfg": b"55555"}, {"s/cfg": b"ccccc"}]
"""What no pattern matches is a unit of its own."""
SETS = [one | two | loose for one, two, loose in product(*UNITS, LOOSE)]
SINGLES = [b"1", b"22", b"55555", b"ddddd"]
SENT = ("incoming/", "staging/")
"""Where clients send bytes to, each below the id of its upload."""


def identity(content):
    """What lineage compares: a set is never the same as a file."""
    return frozenset(content.items()) if isinstance(content, dict) else content


def hash_is(file, data):
    return file.sha256 == sha256(data).digest()


def data_of(content):
    return set(content.values()) if isinstance(content, dict) else {content}


def unit(content, name):
    if name == "s/":
        return {path: data for path, data in content.items() if path == "s/cfg"}
    return {path: data for path, data in content.items() if path.startswith(f"s/{name}/")}


def merged(base, head, branch):
    """The merge of two sets that needs no choice; None: it needs one."""
    found = {}
    for name in NAMES_OF_UNITS:
        was, ours, theirs = (unit(one, name) for one in (base, head, branch))
        if ours != theirs and was not in (ours, theirs):
            return None
        found |= theirs if was == ours else ours
    return found if found and not shrinks(head, found) else None


def shrinks(head, new):
    """Whether the new files lack so much of the head that a request would have to confirm that, or a declared unit."""
    gone, sizes = head.keys() - new.keys(), {path: len(data) for path, data in head.items()}
    is_most = 2 * len(gone) > len(head) or 2 * sum(sizes[path] for path in gone) > sum(sizes.values())
    has_lost_unit = any(unit(head, name) and not unit(new, name) for name in ("w1", "w2"))
    return len(head) >= 3 and bool(gone) and (is_most or has_lost_unit)


@dataclass
class Version:
    parents: tuple[int, ...]
    content: object
    device: str = ""
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
    seen_units: dict[str, list[object]] = field(default_factory=lambda: {name: [] for name in NAMES_OF_UNITS})
    """What devices have saved to this slot of each unit."""
    had: dict[str, set[int]] = field(default_factory=dict)
    """The versions that each device uploaded or reported."""
    bases: dict[object, int] = field(default_factory=dict)
    """Of each conflict the version that its branch grew from first."""

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

    def conflict_of(self, base, device):
        """The open conflict that a branch from a base extends; None: it opens a conflict."""
        for key, tip in self.conflicts.items():
            if tip == base or (self.bases[key] == base and self.versions[tip].device == device):
                return key
        return None

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
    id: object
    slot: Slot
    base: int
    content: object
    device: str
    expires: object
    held: set[bytes]
    """The contents that were there at its request, or became live since."""
    keys: dict[bytes, str] = field(default_factory=dict)
    """Where its bytes are sent to."""


class World:
    """The saves of a player beside the model of them, with a store that is used through its port alone."""

    def __init__(self, sets, objects):
        self.sets, self.player, self.objects = sets, sets.player, objects
        self.slots, self.uploads = [], []

    def seen(self):
        return [slot for slot in self.slots if slot.head and not slot.trashed]

    def slot_named(self, name):
        return next((slot for slot in self.slots if slot.name == name and not slot.trashed), None)

    def change(self):
        return self.player.connection.transaction()

    async def fetch(self, query, *values):
        return await self.player.connection.fetch(query, self.player.id, *values)

    def of_versions(self):
        """The distinct contents of all versions whose bytes are kept."""
        kept = [one for slot in self.slots for one in slot.versions.values() if one.is_kept]
        return {data for one in kept for data in data_of(one.content)}

    def live(self):
        return self.of_versions().union(*(one.held for one in self.uploads))

    def fits(self, content):
        """Whether there is room for a content beside all that no upload prunes, and all that uploads await."""
        lasting = {
            data
            for slot in self.slots
            for number, one in slot.versions.items()
            if one.is_kept and (one.is_pinned or number in {slot.head, *slot.conflicts.values()})
            for data in data_of(one.content)
        }
        return sum(map(len, lasting.union(data_of(content), *(data_of(one.content) for one in self.uploads)))) <= QUOTA

    # Actions of devices

    async def request(self, name, content, base, device):
        """A device requests an upload, mostly of a set; it confirms what it removes. Its base was synced, or it has
        none, or it names none.
        """
        every, now = self.uploads, self.player.now
        self.uploads = [one for one in every if one.expires > now]  # a request ends the others
        slot, device = self.slot_named(NAMES[name % 2]), DEVICES[device % 3]
        content = SINGLES[content % 4] if content % 8 == 7 else SETS[content % len(SETS)]
        number = sorted(slot.versions)[base % len(slot.versions)] if slot and slot.versions and base % 4 else 0
        if base % 3 == 0 and slot:
            number = slot.head
        if number:
            await self.synced_with(slot, device, number)
        more = {"device_id": device, "base_version": number}
        if base % 7 == 0:
            more["base_version"] = None
            number = await self.version_of(slot, device)
        live, awaited = self.live(), {data for one in self.uploads for data in data_of(one.content)}
        try:
            reservation = await self.reserve(content, NAMES[name % 2], more)
        except SavegameBaseNotSynced:
            assert number == slot.head
            self.uploads = every
            return None
        except UserQuotaExceeded:
            assert not data_of(content) <= live
            assert not self.fits(content)
            self.uploads = every
            return None
        if reservation.is_deleted:
            assert any(slot.trashed for slot in self.slots)
            return None
        if slot is None or slot.id != reservation.slot_id:
            if slot:
                self.remove_empty(slot)
            slot = Slot(reservation.slot_id, NAMES[name % 2])
            self.slots.append(slot)
        keys = {data: one.key for one in reservation.missing for data in data_of(content) if hash_is(one, data)}
        held = data_of(content) & live
        same = [one for one in self.uploads if one.id == reservation.upload_id]
        if same:
            [upload] = same
            assert (upload.slot, upload.base, upload.content) == (slot, number, content)
            upload.held |= held
            upload.expires = max(upload.expires, reservation.expires_at)
            return upload
        assert keys.keys() == data_of(content) - held
        assert data_of(content) <= live.union(awaited) or self.fits(content)
        about = (reservation.upload_id, slot, number, content, device, reservation.expires_at)
        self.uploads.append(Upload(*about, held, keys))
        return self.uploads[-1]

    def remove_empty(self, slot):
        """A save without a version ends with its last upload."""
        assert not slot.head
        assert not any(one.slot is slot for one in self.uploads)
        self.slots.remove(slot)

    async def reserve(self, content, name, more):
        files = content if isinstance(content, dict) else {None: content}
        while True:
            try:
                async with self.change():
                    return await self.sets.request(files, name, **more)
            except SavegameShrinks as shrinks:
                assert "confirm_removals" not in more
                more["confirm_removals"] = shrinks.meta["removed"]

    async def version_of(self, slot, device):
        """The version that a device has, which it uploaded or reported."""
        if slot is None:
            return 0
        query = "SELECT version FROM savegames.savegame_devices WHERE user_id = $1 AND slot_id = $2 AND device_id = $3"
        rows = await self.fetch(query, slot.id, device)
        number = rows[0]["version"] if rows else 0
        assert number in {0} | slot.had.get(device, set())
        return number

    async def synced_with(self, slot, device, number):
        if slot.versions[number].is_kept and number == slot.head:
            await self.player.synced(slot.id, device, number)
            slot.had.setdefault(device, set()).add(number)

    async def send(self, upload, contents, spoiled=b""):
        """Bytes arrive, in place of one content others."""
        for data in contents:
            if data in upload.keys:
                await self.objects.put(upload.keys[data], b"?" * len(data) if data == spoiled else data, {})

    async def verify_some(self, pick, count, spoiled):
        """Some files arrive, perhaps one with other bytes, and are verified; then the connection is cut."""
        if self.uploads:
            upload = self.uploads[pick % len(self.uploads)]
            contents = sorted(data_of(upload.content))
            bad = contents[spoiled % len(contents)] if spoiled % 3 == 0 else b""
            await self.verify(upload, contents[: count % (len(contents) + 1)], bad)

    async def killed(self, pick, count, step):
        """All files arrive, and the process that verifies them is killed; its objects are noted nowhere."""
        if self.uploads:
            upload = self.uploads[pick % len(self.uploads)]
            await self.send(upload, data_of(upload.content))
            for number, attempt in enumerate(await self.attempts_of(upload, 1 + count % 4)):
                if number < step % 4:
                    await self.objects.copy(attempt.source, attempt.target, attempt.metadata, attempt.size)

    async def attempts_of(self, upload, limit):
        try:
            async with self.change():
                if isinstance(upload.content, dict):
                    return (await self.sets.sets.begin(self.player.id, upload.id, (), b"", limit)).attempts
                found = await self.player.uploads.begin_confirmation(self.player.id, upload.id)
                return [found] if found else []
        except SavegameVersionNotFound:
            assert upload.expires <= self.player.now
        except UserQuotaExceeded:
            assert not isinstance(upload.content, dict)
        return []

    async def overwrite(self, pick, content):
        """A client sends other bytes once more, before a verification or after it."""
        if self.uploads:
            upload = self.uploads[pick % len(self.uploads)]
            data = sorted(data_of(upload.content))[content % len(data_of(upload.content))]
            await self.send(upload, [data], spoiled=data)

    async def verify(self, upload, contents, spoiled=b""):
        """A set is verified two files at a time, with a check after each of the transactions."""
        await self.send(upload, contents, spoiled)
        if not isinstance(upload.content, dict):
            return  # a single file is verified by its confirmation
        results, after = [], b""
        try:
            while True:
                async with self.change():
                    work = await self.sets.sets.begin(self.player.id, upload.id, results, after, 2)
                await self.check()
                if not work.attempts:
                    return
                results = [await verify_file(self.objects, one) for one in work.attempts]
                after = work.attempts[-1].sha256
        except SavegameVersionNotFound:
            assert upload.expires <= self.player.now

    async def commit(self, pick):
        if self.uploads:
            await self.commit_of(self.uploads[pick % len(self.uploads)])

    async def commit_of(self, upload):
        slot = upload.slot
        found = slot.relation(upload.base, upload.content)
        base = await self.known_base(slot, upload.base) if found is UploadResult.CONFLICT else None
        try:
            outcome = await self.finish(upload)
        except SavegameVersionNotFound:
            assert upload.expires <= self.player.now
            return
        except UserQuotaExceeded:
            assert not data_of(upload.content) <= self.live()
            return
        except SavegameUploadIncomplete:
            assert upload.content not in upload.held
            return
        if isinstance(outcome, IncompleteSet):
            lacking = {sha256(one).digest() for one in data_of(upload.content) - upload.held}
            named = {one.sha256 for one in outcome.missing} | {one.sha256 for one in outcome.mismatched}
            assert named
            assert named <= lacking
            return
        self.uploads.remove(upload)
        if outcome.result is UploadResult.MISMATCH:
            assert not isinstance(upload.content, dict)
            return
        self.place(slot, upload.base, upload.content, outcome, found, base, upload.device)
        if found in (UploadResult.HEAD, UploadResult.CONFLICT):
            for other in self.uploads:
                if other.expires > self.player.now:
                    other.held |= data_of(upload.content) & data_of(other.content)

    async def finish(self, upload):
        if isinstance(upload.content, dict):
            async with self.change():
                return await self.sets.sets.finish(self.player.id, upload.id)
        uploads, digest = self.player.uploads, None
        async with self.change():
            attempt = await uploads.begin_confirmation(self.player.id, upload.id)
        if attempt and await self.objects.copy(attempt.source, attempt.target, attempt.metadata, attempt.size):
            digest = await self.objects.digest(attempt.target, attempt.size)
        await self.check()
        async with self.change():
            return await uploads.finish_confirmation(self.player.id, upload.id, attempt, digest)

    def place(self, slot, base, content, outcome, found, known_base, device):
        """Adds the version of an outcome to the model, once it is the expected one."""
        had = slot.had.setdefault(device, set())
        if found in (UploadResult.IDENTICAL, UploadResult.BEHIND):
            assert (outcome.result, outcome.version) == (found, slot.head)
            had.add(slot.head)
            return
        for name, seen in slot.seen_units.items() if isinstance(content, dict) else ():
            seen.append(unit(content, name))
        if found is UploadResult.HEAD:
            assert outcome.result is UploadResult.HEAD
            parents = (base, *slot.end_equal(content, outcome.version))
            slot.versions[outcome.version] = Version(parents, content, device)
            slot.head = outcome.version
            had.add(slot.head)
            return
        extended = slot.conflict_of(base, device)
        assert outcome.conflict_id == extended or (extended is None and outcome.conflict_id not in slot.bases)
        slot.bases.setdefault(outcome.conflict_id, base)
        slot.versions[outcome.branch_version] = Version((base,), content, device)
        slot.conflicts[outcome.conflict_id] = outcome.branch_version
        had.add(outcome.branch_version)
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
            await self.check()
            await self.verify(upload, data_of(upload.content))
            await self.commit_of(upload)

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
            sides = dict(zip(NAMES_OF_UNITS, list(product(("head", "branch"), repeat=3))[side % 8], strict=True))
            is_whole = isinstance(head, dict) and isinstance(branch, dict)
            there = [name for name in NAMES_OF_UNITS if is_whole and (unit(head, name) or unit(branch, name))]
            choice["units"] = {name: sides[name] for name in there}
        try:
            async with self.change():
                found = await self.player.conflicts.resolve(self.player.id, key, Resolve(**choice))
        except DomainError:
            assert way == "merge"
            assert not is_whole or not self.chosen(choice["units"], head, branch)
            return
        assert not isinstance(found, OutdatedDecision)
        if way == "keep_both":
            slot.conflicts.pop(key)
            await self.take_over_copy(slot, found.copy_slot_id, branch)
            return
        kept = branch if way == "keep_local" else head
        if way == "merge":
            kept = self.chosen(choice["units"], head, branch)
        [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot.id)
        self.ended(slot, key, kept, row["head_version"])

    @staticmethod
    def chosen(units, head, branch):
        """The files of the chosen side of each unit."""
        parts = [unit(branch if side == "branch" else head, name) for name, side in units.items()]
        return {path: data for part in parts for path, data in part.items()}

    async def take_over_copy(self, slot, slot_id, content):
        [row] = await self.fetch("SELECT * FROM savegames.savegame_slots WHERE user_id = $1 AND id = $2", slot_id)
        versions = {row["head_version"]: Version((0,), content)}
        seen = {name: [*units] for name, units in slot.seen_units.items()}
        self.slots.append(Slot(slot_id, row["slot_name"], row["head_version"], versions, seen_units=seen))

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
        restored = unit(old, "w1") | unit(head, "w2") | unit(head, "s/") if names else old
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
            self.uploads = [one for one in self.uploads if one.slot is not slot]  # they are cancelled
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
            upload = self.uploads[pick % len(self.uploads)]
            try:
                async with self.change():
                    await self.player.uploads.cancel(self.player.id, upload.id)
            except SavegameVersionNotFound:
                assert upload.expires <= self.player.now
                return
            self.uploads.remove(upload)

    async def sweep(self, hours):
        """Time passes, and the jobs run. Nothing is left of uploads that ended."""
        self.player.later(hours=HOURS[hours % len(HOURS)])
        await self.objects.delete(await self.player.sweep())
        slots = {row["id"] for row in await self.player.rows("slots")}
        assert all(slot.trashed or not slot.head for slot in self.slots if slot.id not in slots)
        self.slots = [slot for slot in self.slots if slot.id in slots]
        self.uploads = [one for one in self.uploads if one.expires > self.player.now]
        ids = {str(one.id) for one in self.uploads}
        sent = [one.key for one in await self.objects.list("") if one.key.startswith(SENT)]
        await self.objects.delete([key for key in sent if key.split("/")[1] not in ids])

    # Invariants

    async def check(self):
        tables = await self.player.check()
        slots = {row["id"]: row["head_version"] or 0 for row in tables["slots"]}
        for slot in [slot for slot in self.slots if slot.id not in slots]:
            self.remove_empty(slot)
        assert slots == {slot.id: slot.head for slot in self.slots}
        contents = {row["id"]: row for row in tables["contents"]}
        self.check_versions(tables, contents)
        assert {row["id"] for row in tables["uploads"] if row["outcome"] is None} == {one.id for one in self.uploads}
        assert {row["id"]: row["branch_version"] for row in tables["conflicts"] if not row["resolved_at"]} == {
            key: tip for slot in self.slots for key, tip in slot.conflicts.items()
        }
        await self.check_objects(contents)
        await self.check_quota()
        await self.check_bases(tables, {slot.id: slot for slot in self.slots})

    def check_versions(self, tables, contents):
        """Every version has its parents and its files, and each unit of it is as somebody saved it."""
        slots = {slot.id: slot for slot in self.slots}
        lists = {row["id"]: decode(row["body"]) for row in tables["manifests"]}
        found = {(row["slot_id"], row["version"]) for row in tables["metadata"]}
        assert found == {(slot.id, number) for slot in self.slots for number in slot.versions}
        for row in tables["metadata"]:
            slot = slots[row["slot_id"]]
            version = slot.versions[row["version"]]
            parents = (row["parent_version"], row["merged_version"])
            assert tuple(parent for parent in parents if parent is not None) == version.parents
            assert row["is_pinned"] == version.is_pinned
            if row["content_id"] is None:
                assert not version.is_pinned
                assert row["version"] not in {slot.head, *slot.conflicts.values()}
                version.is_kept = False
                continue
            assert version.is_kept
            if isinstance(version.content, dict):
                listed = {file.path: file.sha256 for file in lists[row["manifest_id"]]}
                assert listed == {path: sha256(data).digest() for path, data in version.content.items()}
                assert all(unit(version.content, name) in seen for name, seen in slot.seen_units.items())
            else:
                assert contents[row["content_id"]]["file_hash_sha256"] == sha256(version.content).digest()

    async def check_objects(self, contents):
        """Each live content has an object with exactly its bytes, and each object a row."""
        keys = {one.key for one in await self.objects.list("")}
        assert {key for key in keys if not key.startswith(SENT)} <= {row["s3_object_key"] for row in contents.values()}
        for row in contents.values():
            if (row["state"], row["kind"]) == ("live", "file"):
                data = await self.objects.read(row["s3_object_key"], 100)
                assert sha256(data).digest() == row["file_hash_sha256"]

    async def check_quota(self):
        """What is used are the bytes of the distinct live files; what is reserved, those that uploads await."""
        live = self.live()
        awaited = {data for one in self.uploads for data in data_of(one.content)} - live
        assert await self.player.usage() == (sum(map(len, live)), sum(map(len, awaited)))
        assert sum(map(len, live)) <= QUOTA

    async def check_downloads(self):
        """A device that downloads a version has its files byte for byte."""
        queries = SavegameSetQueries(self.player.connection)
        for slot in self.seen():
            for number, version in slot.versions.items():
                found = await queries.download(self.player.id, slot.id, DownloadSet(version=number))
                assert (found is not None) is version.is_kept
                if found:
                    data = {one: await self.objects.read(key, 100) for one, key in found.keys.items()}
                    files = {file.path: data[file.sha256] for file in found.files}
                    assert files == (version.content if isinstance(version.content, dict) else {"": version.content})

    async def check_bases(self, tables, slots):
        """A list of a pruned version stays while a device, an open conflict or an open upload has grown from it."""
        lists = {(row["slot_id"], row["version"]) for row in tables["metadata"] if row["manifest_id"]}
        for row in await self.player.rows("devices"):
            version = slots[row["slot_id"]].versions[row["version"]]
            if isinstance(version.content, dict):
                assert (row["slot_id"], row["version"]) in lists


WEIGHTS = {
    World.save: 16,
    World.request: 8,
    World.verify_some: 3,
    World.killed: 2,
    World.overwrite: 1,
    World.commit: 6,
    World.resolve: 4,
    World.restore: 2,
    World.pin: 1,
    World.delete: 1,
    World.undelete: 2,
    World.cancel: 1,
    World.sweep: 2,
}


async def run(world, seed, count):
    """So many random actions, and a check after each step of them."""
    random = Random(seed)
    await world.player.set_policy()
    for action in random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count):
        picked = [random.randrange(60) for _ in range(action.__code__.co_argcount - 1)]
        print(action.__name__, *picked)  # shown where it fails
        await action(world, *picked)
        await world.check()
        world.player.later(seconds=1)
    await world.check_downloads()


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))])
async def test_any_history_of_sets_is_whole_and_counted(new_player, of_player, seed):
    sets = of_player(new_player(**LIMITS))
    await run(World(sets, sets.objects), seed, sized(60, 100))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 104))
async def test_any_history_of_sets_is_whole_in_a_real_store(new_player, of_player, bucket, seed):
    await run(World(of_player(new_player(**LIMITS)), bucket), seed, 60)
