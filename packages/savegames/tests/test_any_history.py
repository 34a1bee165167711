"""Any actions of several devices in any order have the same result in the tables and in a model of the contract.

The model knows nothing of SQL. What is pruned it takes over from the rows, after it has checked that it was free to go.
"""

from dataclasses import dataclass, field
from functools import cache
from random import Random

import pytest
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    Digest,
    OutdatedDecision,
    Resolve,
    SavegameSlotNotFound,
    SavegameUploadIncomplete,
    SavegameVersionNotFound,
    UploadOutcome,
    UploadResult,
    UserQuotaExceeded,
    VersionChanges,
)
from gameshelf.savegames._limits import ATTEMPT_FOR, REMEMBER_FOR

CONTENTS = [b"", b"a", b"bb", b"ccc", b"dddd", b"eeeee"]
QUOTA = 14
LIMITS = {"max_bytes": 5, "quota_bytes": QUOTA, "max_versions": 3}
DEVICES = ["pc", "deck", None]
BASES = ["left out", "nothing", "head", "any", "newest"]
POLICIES = ["manual", "manual", "manual", "most_recent", "longest_playtime"]
WAYS = ["keep_local", "keep_cloud", "keep_both"]
NAMES = ["one", "two"]
CANCELLED = "cancelled"
HOURS = [0, 0, 0.5, 0.5, 1, 1.1, 24, 24, 72, 24 * 31]


@dataclass
class Version:
    parents: tuple[int, ...]
    content: bytes
    device: str | None = None
    is_kept: bool = True
    is_pinned: bool = False


@dataclass
class Slot:
    id: object
    name: str
    head: int = 0
    last: int = 0
    versions: dict[int, Version] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    conflicts: dict[object, int] = field(default_factory=dict)
    bases: dict[object, int] = field(default_factory=dict)
    """The bases of the branches of open conflicts."""
    trashed: object = None

    def ancestors(self, version):
        return {version}.union(*(self.ancestors(one) for one in self.versions[version].parents if one), set())

    def relation(self, base, content):
        @cache
        def leads(version):
            return version == base or base == 0 or any(leads(one) for one in self.versions[version].parents if one)

        if not self.head:
            return "descendant"
        head = self.versions[self.head]
        if head.is_kept and head.content == content:
            return "identical"
        if base == self.head:
            return "descendant"
        history = [(one, self.versions[one]) for one in self.ancestors(self.head)]
        same = [(number, one) for number, one in history if one.content == content]
        is_behind = any(leads(number) and (one.is_kept or number == base) for number, one in same)
        return "behind" if is_behind else "diverged"

    def is_late(self, had, number):
        """Whether a device that has one version reports an earlier one that it had before."""
        history, fork = self.ancestors(self.head), had
        while fork and fork not in history:
            fork = self.versions[fork].parents[0]
        return bool(had) and (number in self.ancestors(had) - {had} or (number in history and number < (fork or 0)))

    def regresses_to(self, content):
        """The newest version of the history before the head with the same content."""
        found = self.ancestors(self.head) - {self.head} if self.head else ()
        same = [one for one in found if self.versions[one].is_kept and self.versions[one].content == content]
        return max(same, default=None)

    def end_equal(self, content, number):
        """Ends the conflicts of branches with the content of a new head; returns which of them it grew from, too."""
        tips = [tip for tip in self.conflicts.values() if self.versions[tip].is_kept]
        equal = {tip for tip in tips if self.versions[tip].content == content}
        self.conflicts = {key: tip for key, tip in self.conflicts.items() if tip not in equal}
        return tuple(tip for tip in sorted(equal)[:1] if tip < number)

    def conflict_of(self, base, device):
        """The open conflict that a branch from a base extends; None: it opens a conflict."""
        for key, tip in self.conflicts.items():
            if tip == base:
                return key
        for key, tip in self.conflicts.items():
            if self.bases[key] == base and self.versions[tip].device == device:
                return key
        return None


@dataclass
class Upload:
    id: object
    slot: Slot
    version: int
    base: int
    content: bytes
    joined: bool
    device: str | None
    policy: str
    playtime: int
    expires: object
    attempts: list = field(default_factory=list)
    outcome: object = None


class World:
    """The player of the package beside the model of them, and the objects in the store."""

    def __init__(self, player):
        self.player = player
        self.slots, self.uploads, self.numbers = [], [], set()
        self.given = {}  # the highest numbers of deleted saves by name

    # Queries of the model

    def slot_named(self, name):
        return next((slot for slot in self.slots if slot.name == name and not slot.trashed), None)

    def highest(self, name):
        """The highest number assigned under a name to saves that are no longer visible under it."""
        return max([self.given.get(name, 0), *(slot.last for slot in self.trash_of(name))])

    def trash_of(self, name):
        return [slot for slot in self.slots if slot.name == name and slot.trashed]

    def leave_name(self, slot):
        self.given[slot.name] = max(slot.last, self.given.get(slot.name, 0))

    def seen(self):
        return [slot for slot in self.slots if slot.head and not slot.trashed]

    def open_uploads(self):
        return [one for one in self.uploads if one.outcome is None]

    def held(self):
        """The contents that kept versions and joined open uploads hold."""
        of_versions = {one.content for slot in self.slots for one in slot.versions.values() if one.is_kept}
        return of_versions | {one.content for one in self.open_uploads() if one.joined}

    def used(self):
        return sum(map(len, self.held()))

    def reserved(self, but=None):
        """The bytes that open uploads may add: equal contents once, and no stored ones."""
        awaited = {one.content for one in self.open_uploads() if not one.joined}
        return sum(map(len, awaited - self.held() - {but}))

    def fits(self, content, reserved=0):
        """Whether pruning all history would make enough room."""
        return not content or sum(map(len, self.lasting())) + reserved + len(content) <= QUOTA

    def protected(self, slot):
        pinned = {number for number, one in slot.versions.items() if one.is_pinned}
        return {slot.head, *slot.conflicts.values(), *pinned}

    def lasting(self):
        """The contents that no upload ever prunes."""
        joined = {one.content for one in self.open_uploads() if one.joined}
        return joined | {
            one.content
            for slot in self.slots
            for number, one in slot.versions.items()
            if one.is_kept and number in self.protected(slot)
        }

    def remove_if_empty(self, slot):
        if not slot.head and not any(one.slot is slot for one in self.uploads):
            self.slots.remove(slot)
            self.leave_name(slot)

    def forget_expired(self):
        gone = [one for one in self.uploads if one.expires <= self.player.now]
        self.uploads = [one for one in self.uploads if one.expires > self.player.now]
        for slot in {id(one.slot): one.slot for one in gone}.values():
            self.remove_if_empty(slot)

    def change(self):
        """A transaction of the user, as a savepoint of the test's transaction."""
        return self.player.connection.transaction()

    # Actions of devices

    async def request(self, name, content, base, device, policy, pick):
        player = self.player
        if any(one.expires <= player.now for one in self.open_uploads()):
            self.forget_expired()
        slot = self.slot_named(NAMES[name % 2])
        head = slot.head if slot else 0
        there = sorted(slot.versions) if slot else []
        given = {"left out": None, "nothing": 0, "head": head, "newest": there[-1] if there else 0}
        there = sorted({*there, *(one for other in self.trash_of(NAMES[name % 2]) for one in other.versions)})
        given["any"] = there[pick % len(there)] if there else 0
        named = given[BASES[base % 5]]
        device, content = DEVICES[device % 3], CONTENTS[content % 6]
        grown_from = named
        if named is None:
            grown_from = (slot.devices.get(device, 0) if device else slot.head) if slot else 0
        elif slot is None or named not in slot.versions:
            grown_from = 0
        options = {"base_version": named, "device_id": device, "conflict_policy": POLICIES[policy % 5]}
        joins = content in self.held()
        deleted = self.deleted(slot, NAMES[name % 2], content, named, grown_from, device)
        same = [
            one
            for one in self.open_uploads()
            if (one.slot, one.content, one.base, one.device) == (slot, content, grown_from, device)
        ]
        kept = self.kept()
        try:
            async with self.change():
                left = await player.request(content, NAMES[name % 2], playtime_seconds=pick, **options)
        except UserQuotaExceeded:
            assert not joins
            assert not deleted
            assert not same
            assert not self.fits(content, self.reserved(content))
            return None
        self.take_over_pruned(await player.rows("metadata"))
        assert self.kept() == kept  # a request prunes no history
        expires = player.now + player.limits.url_lives + ATTEMPT_FOR
        if deleted:
            assert (left.is_required, left.conflict_expected) == (False, False)
            return self.was_deleted(left.upload_id, deleted, content, device)
        assert same or joins or self.fits(content, self.reserved(content))
        if same:
            [upload] = same
            assert (left.upload_id, left.is_required) == (upload.id, not joins)
            upload.joined, upload.policy, upload.playtime = joins, options["conflict_policy"], pick
            upload.expires = max(upload.expires, expires)
            return upload
        if slot is None:
            [made] = await player.connection.fetch(
                "SELECT slot_id FROM savegames.savegame_uploads WHERE id = $1", left.upload_id
            )
            slot = Slot(made["slot_id"], NAMES[name % 2], last=self.highest(NAMES[name % 2]))
            self.slots.append(slot)
        slot.last += 1
        assert left.is_required is not joins
        assert (slot.name, slot.last) not in self.numbers
        self.numbers.add((slot.name, slot.last))
        assert left.conflict_expected is (slot.relation(grown_from, content) == "diverged")
        upload = Upload(
            left.upload_id,
            slot,
            slot.last,
            grown_from,
            content,
            joins,
            device,
            options["conflict_policy"],
            pick,
            expires,
        )
        self.uploads.append(upload)
        return upload

    def was_deleted(self, upload_id, slot, content, device):
        """One row for each content of a deleted save."""
        outcome, expires = UploadOutcome(UploadResult.DELETED, slot.id, slot.head), self.player.now + REMEMBER_FOR
        for one in self.uploads:
            if (
                one.slot is slot
                and one.content == content
                and getattr(one.outcome, "result", None) is UploadResult.DELETED
            ):
                assert one.id == upload_id
                one.outcome, one.expires = outcome, expires
                return one
        upload = Upload(upload_id, slot, 0, 0, content, False, device, "manual", 0, expires, [], outcome)
        self.uploads.append(upload)
        return upload

    def deleted(self, slot, name, content, named, grown_from, device):
        """The save in the trash that an upload refers to, if its content is not new."""
        at_head = slot.versions[slot.head] if slot and slot.head else None
        if named == 0 or grown_from or (at_head and at_head.is_kept and at_head.content == content):
            return None
        found = [
            one
            for one in self.trash_of(name)
            if (named in one.versions if named else device is not None and device in one.devices)
            and content in [version.content for version in one.versions.values()]
        ]
        return max(found, key=lambda one: one.trashed, default=None)

    def kept(self):
        return {(slot.id, number) for slot in self.slots for number, one in slot.versions.items() if one.is_kept}

    async def cancel(self, pick):
        if self.uploads:
            upload = self.uploads[pick % len(self.uploads)]
            can_be = upload.outcome is None and upload.expires > self.player.now
            if not can_be and upload.outcome != CANCELLED:
                with pytest.raises(SavegameVersionNotFound):
                    await self.player.uploads.cancel(self.player.id, upload.id)
                return
            async with self.change():
                await self.player.uploads.cancel(self.player.id, upload.id)
            upload.outcome = CANCELLED

    async def begin(self, pick):
        if self.uploads:
            await self.begin_of(self.uploads[pick % len(self.uploads)])

    async def begin_of(self, upload):
        if upload.outcome == CANCELLED or (upload.outcome is None and upload.expires <= self.player.now):
            with pytest.raises(SavegameVersionNotFound):
                await self.player.uploads.begin_confirmation(self.player.id, upload.id)
            return
        needs_room = upload.outcome is None and upload.content not in self.held()
        try:
            async with self.change():
                attempt = await self.player.uploads.begin_confirmation(self.player.id, upload.id)
        except UserQuotaExceeded:
            assert needs_room
            assert not self.fits(upload.content)
            return
        assert not needs_room or self.fits(upload.content)
        assert (attempt is None) is (upload.joined or upload.outcome is not None)
        if attempt:
            upload.attempts.append((attempt, self.player.now))
            self.player.objects.add(attempt.target)

    async def finish(self, pick, attempt, is_right):
        if self.uploads:
            await self.finish_of(self.uploads[pick % len(self.uploads)], attempt, is_right % 6 > 0)

    async def finish_of(self, upload, which=0, is_right=True):
        player, slot = self.player, upload.slot
        attempt, _ = upload.attempts.pop(which % len(upload.attempts)) if upload.attempts else (None, None)
        digest = attempt and Digest(attempt.size, attempt.content if is_right else b"\0" * 32)
        was_there = upload.content in self.held()
        try:
            async with self.change():
                outcome = await player.uploads.finish_confirmation(player.id, upload.id, attempt, digest)
        except SavegameVersionNotFound:
            assert upload.outcome == CANCELLED or (upload.outcome is None and upload.expires <= player.now)
            return
        except UserQuotaExceeded:
            assert upload.outcome is None
            assert not was_there
            assert not self.fits(upload.content)
            return
        except SavegameUploadIncomplete:
            assert upload.outcome is None
            assert not upload.joined
            assert attempt is None or (attempt.target not in self.player.objects and not was_there)
            return
        if upload.outcome is not None:
            assert outcome == upload.outcome
            return
        if attempt and not is_right:
            assert outcome.result is UploadResult.MISMATCH
            upload.outcome, upload.expires = outcome, player.now + REMEMBER_FOR
            return
        relation = slot.relation(upload.base, upload.content)
        await getattr(self, f"was_{relation}")(upload, slot, outcome)
        upload.outcome, upload.expires = outcome, player.now + REMEMBER_FOR
        if relation in ("descendant", "diverged") and not was_there:
            for other in self.open_uploads():
                if other.content == upload.content and other.expires > player.now:
                    other.joined = True

    async def was_identical(self, upload, slot, outcome):
        assert (outcome.result, outcome.version) == (UploadResult.IDENTICAL, slot.head)
        if upload.device:
            slot.devices[upload.device] = slot.head

    async def was_behind(self, upload, slot, outcome):
        assert (outcome.result, outcome.version) == (UploadResult.BEHIND, slot.head)

    async def was_descendant(self, upload, slot, outcome):
        assert (outcome.result, outcome.version) == (UploadResult.HEAD, upload.version)
        assert outcome.regresses_to == slot.regresses_to(upload.content)
        parents = (upload.base, *slot.end_equal(upload.content, upload.version))
        slot.versions[upload.version] = Version(parents, upload.content, upload.device)
        slot.head = upload.version
        if upload.device:
            slot.devices[upload.device] = upload.version

    async def was_diverged(self, upload, slot, outcome):
        grown = slot.conflict_of(upload.base, upload.device)
        slot.versions[upload.version] = Version((upload.base,), upload.content, upload.device)
        if upload.device:
            slot.devices[upload.device] = upload.version
        assert (outcome.head_version, outcome.branch_version) == (slot.head, upload.version)
        if grown is None:
            assert outcome.conflict_id not in slot.bases
            slot.bases[outcome.conflict_id] = upload.base
        else:
            assert outcome.conflict_id == grown
        slot.conflicts[outcome.conflict_id] = upload.version
        if upload.policy == "manual":
            assert (outcome.result, outcome.version) == (UploadResult.CONFLICT, upload.version)
            return
        assert outcome.result is UploadResult.RESOLVED
        self.merged(slot, outcome.conflict_id, outcome.resolution)
        assert outcome.version == slot.head
        if upload.device and outcome.resolution == "keep_local":
            slot.devices[upload.device] = slot.head

    def merged(self, slot, conflict_id, resolution):
        tip = slot.conflicts.pop(conflict_id)
        kept = slot.versions[tip if resolution == "keep_local" else slot.head]
        slot.last += 1
        self.numbers.add((slot.name, slot.last))
        slot.versions[slot.last] = Version((slot.head, tip), kept.content, kept.device)
        slot.end_equal(kept.content, slot.last)
        slot.head = slot.last

    async def save(self, name, content, base, device, policy, pick):
        upload = await self.request(name, content, base, device, policy, pick)
        if upload:
            await self.begin_of(upload)
            await self.finish_of(upload, len(upload.attempts) - 1)

    # Actions of players

    async def resolve(self, pick, way, is_fresh):
        conflicts = [(slot, key) for slot in self.slots for key in slot.conflicts]
        if not conflicts:
            return
        slot, conflict_id = conflicts[pick % len(conflicts)]
        sides = {"head_version": slot.head, "branch_version": slot.conflicts[conflict_id]} if is_fresh % 3 else {}
        await self.resolve_one(slot, conflict_id, WAYS[way % 3], sides)

    async def resolve_one(self, slot, conflict_id, way, sides):
        player = self.player
        try:
            async with self.change():
                found = await player.conflicts.resolve(player.id, conflict_id, Resolve(resolution=way, **sides))
        except DomainError:
            assert slot.trashed
            return
        if isinstance(found, OutdatedDecision):
            assert not sides
            return
        if way != "keep_both":
            self.merged(slot, conflict_id, way)
            return
        tip = slot.conflicts.pop(conflict_id)
        name = await player.connection.fetchval(
            "SELECT slot_name FROM savegames.savegame_slots WHERE id = $1", found.copy_slot_id
        )
        assert name.startswith(f"{slot.name} (conflict v{tip})")
        assert self.slot_named(name) is None
        branch, number = slot.versions[tip], self.highest(name) + 1
        copy = Slot(found.copy_slot_id, name, number, number, {number: Version((0,), branch.content, branch.device)})
        self.slots.append(copy)

    async def restore(self, pick, version):
        if seen := self.seen():
            slot = seen[pick % len(seen)]
            number = sorted(slot.versions)[version % len(slot.versions)]
            try:
                async with self.change():
                    await self.player.service.restore(self.player.id, slot.id, number)
            except SavegameVersionNotFound:
                assert not slot.versions[number].is_kept
                return
            if number != slot.head:
                slot.last += 1
                self.numbers.add((slot.name, slot.last))
                restored = slot.versions[number]
                parents = (slot.head, *slot.end_equal(restored.content, slot.last))
                slot.versions[slot.last] = Version(parents, restored.content, restored.device)
                slot.head = slot.last

    async def pin(self, pick, version, is_pinned):
        if seen := self.seen():
            slot = seen[pick % len(seen)]
            number = sorted(slot.versions)[version % len(slot.versions)]
            one, wanted = slot.versions[number], bool(is_pinned % 2)
            try:
                async with self.change():
                    await self.player.service.change_version(
                        self.player.id, slot.id, number, VersionChanges(is_pinned=wanted)
                    )
            except DomainError:
                assert not one.is_kept or any(other.is_pinned for other in slot.versions.values())
                return
            one.is_pinned = wanted

    async def delete(self, pick, is_permanent):
        if self.slots:
            slot, permanent = self.slots[pick % len(self.slots)], is_permanent % 3 == 0
            try:
                async with self.change():
                    await self.player.service.delete(self.player.id, slot.id, permanent=permanent)
            except SavegameSlotNotFound:
                assert not slot.head or (slot.trashed and not permanent)
                return
            if permanent:
                self.purge(slot)
                return
            for upload in self.open_uploads():
                if upload.slot is slot:
                    upload.outcome = CANCELLED
            slot.trashed = self.player.now

    def purge(self, slot):
        self.uploads = [one for one in self.uploads if one.slot is not slot]
        self.slots.remove(slot)
        self.leave_name(slot)

    async def undelete(self, pick):
        if trash := [slot for slot in self.slots if slot.trashed]:
            slot = trash[pick % len(trash)]
            await self.player.service.undelete(self.player.id, slot.id)
            number, name = 1, slot.name
            while self.slot_named(name):
                number += 1
                name = f"{slot.name} ({number})"
            if name != slot.name:
                self.leave_name(slot)
                slot.name = name
            slot.last, slot.trashed = max(slot.last, self.highest(name)), None

    async def synced(self, pick, device, version):
        """A device reports the version that it has downloaded, mostly the head."""
        if (seen := self.seen()) and DEVICES[device % 3]:
            slot = seen[pick % len(seen)]
            number = slot.head if version % 3 else sorted(slot.versions)[version % len(slot.versions)]
            one = await self.player.queries.download(self.player.id, slot.id, number)
            if not slot.versions[number].is_kept:
                assert one is None
                with pytest.raises(SavegameVersionNotFound):
                    await self.player.synced(slot.id, DEVICES[device % 3], number)
                return
            assert one.key in self.player.objects
            await self.player.synced(slot.id, DEVICES[device % 3], number)
            if not slot.is_late(slot.devices.get(DEVICES[device % 3]), number):
                slot.devices[DEVICES[device % 3]] = number

    async def sweep(self, hours):
        """Time passes, and the jobs run."""
        player = self.player
        player.later(hours=HOURS[hours % len(HOURS)])
        await player.sweep()
        self.forget_expired()
        before = player.sweeps.trash_before
        for slot in [slot for slot in self.slots if slot.trashed and slot.trashed <= before]:
            self.purge(slot)

    # Invariants

    def take_over_pruned(self, metadata):
        """Each version that is pruned now was prunable."""
        slots = {slot.id: slot for slot in self.slots}
        for row in metadata:
            slot = slots.get(row["slot_id"])
            if slot and row["version"] in slot.versions and row["content_id"] is None:
                assert row["version"] not in self.protected(slot)
                slot.versions[row["version"]].is_kept = False

    async def check(self):
        tables = await self.player.check()
        self.take_over_pruned(tables["metadata"])
        self.check_trees(tables["slots"], tables["metadata"])
        keys = {row["s3_object_key"]: row["state"] for row in tables["contents"]}
        assert {key for key, state in keys.items() if state == "live"} <= self.player.objects
        assert self.player.objects <= keys.keys()  # every object has a row
        assert {row["id"] for row in tables["uploads"] if not row["outcome"]} == {one.id for one in self.open_uploads()}
        assert {row["id"]: row["branch_version"] for row in tables["conflicts"] if not row["resolved_at"]} == {
            key: tip for slot in self.slots for key, tip in slot.conflicts.items()
        }
        assert await self.player.usage() == (self.used(), self.reserved())
        assert self.used() <= QUOTA

    def check_trees(self, slots, metadata):
        assert {row["id"]: (row["slot_name"], row["head_version"] or 0, row["last_version"]) for row in slots} == {
            slot.id: (slot.name, slot.head, slot.last) for slot in self.slots
        }
        found = {}
        for row in metadata:
            parents = (row["parent_version"], row["merged_version"])
            found[row["slot_id"], row["version"]] = (
                tuple(parent for parent in parents if parent is not None),
                row["content_id"] is not None,
                row["is_pinned"],
            )
        assert found == {
            (slot.id, number): (one.parents, one.is_kept, one.is_pinned)
            for slot in self.slots
            for number, one in slot.versions.items()
        }

    async def check_every_conflict_can_be_resolved(self):
        for slot in self.seen():
            for conflict_id, tip in slot.conflicts.items():
                for way in WAYS:
                    attempt = self.player.connection.transaction()
                    await attempt.start()
                    choice = Resolve(resolution=way, head_version=slot.head, branch_version=tip)
                    found = await self.player.conflicts.resolve(self.player.id, conflict_id, choice)
                    assert not isinstance(found, OutdatedDecision)
                    await attempt.rollback()


WEIGHTS = {
    World.save: 14,
    World.request: 2,
    World.begin: 2,
    World.finish: 3,
    World.resolve: 3,
    World.restore: 1,
    World.pin: 1,
    World.delete: 1,
    World.undelete: 2,
    World.synced: 2,
    World.cancel: 1,
    World.sweep: 2,
}


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 12))])
async def test_after_any_actions_the_tables_equal_the_model(new_player, seed):
    random = Random(seed)
    world = World(new_player(**LIMITS))
    for action in random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=120):
        picked = [random.randrange(60) for _ in range(action.__code__.co_argcount - 1)]
        print(action.__name__, *picked)  # shown where it fails
        await action(world, *picked)
        await world.check()
        world.player.later(seconds=1)
    await world.check_every_conflict_can_be_resolved()
