"""Devices that go offline, play and come back in any order: whatever they do, the tree of versions is right, and
nobody's bytes are lost.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.library import GrantKind, LibraryService, NewGrant
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

MAX_VERSIONS = 4
MAX_PINNED = MAX_VERSIONS - 2
DEVICES = ("pc", "deck", "laptop")
CONTENTS = [bytes([65 + number]) * (number + 1) for number in range(20)]
WAYS = ("keep_local", "keep_cloud", "keep_both")

devices, numbers, ways = st.sampled_from(DEVICES), st.integers(0, 20), st.sampled_from(WAYS)
names = st.sampled_from(("one", "one", "one", "two"))
contents = st.sampled_from(CONTENTS)
bases = st.one_of(st.none(), st.none(), st.just("nothing"), st.just("head"), numbers)
saving = st.tuples(st.just("save"), devices, names, contents, bases)
asking = st.tuples(st.just("ask"), devices, names, contents, bases)
coming_back = st.tuples(st.just("confirm"), numbers)
acting = st.one_of(
    st.tuples(st.just("load"), devices, names),
    st.tuples(st.just("restore"), names, numbers),
    st.tuples(st.just("pin"), names, numbers, st.booleans()),
    st.tuples(st.just("resolve"), numbers, ways),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("undelete"), numbers),
)
# A few stories begin with devices that play apart: conflicts and a long history are the interesting cases.
apart = st.lists(st.one_of(saving, asking), min_size=4, max_size=8)
stories = st.tuples(
    apart,
    st.lists(st.one_of(saving, saving, asking, coming_back, coming_back, acting, acting), min_size=10, max_size=25),
).map(lambda parts: parts[0] + parts[1])


@pytest.fixture(scope="module")
def service(platform):
    """A service that keeps so little history that it prunes all the time."""
    made = platform.service(LIBRARY_SERVICE_ROLES="api,consumer", SAVEGAME_MAX_VERSIONS=str(MAX_VERSIONS))
    made.start()
    return made


@dataclass(eq=False)
class Slot:
    """A save as it has to be."""

    id: str | None = None
    head: int = 0
    versions: dict[int, tuple[int, int | None, bytes]] = field(default_factory=dict)
    """Number to parent, other parent and content."""
    pinned: set[int] = field(default_factory=set)
    devices: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    """Id of an open conflict to the tip of its branch."""
    bases: dict[str, int] = field(default_factory=dict)
    """Id of a conflict to the version that its branch grew from."""
    by: dict[int, str] = field(default_factory=dict)
    """Number to the device that uploaded it."""
    name: str = ""

    def ancestors(self, version):
        """A version and all that it grew from."""
        found, waiting = set(), [version]
        while waiting:
            one = waiting.pop()
            if one and one not in found:
                found.add(one)
                waiting += self.versions[one][:2]
        return found


@dataclass(eq=False)
class Upload:
    """An upload that was asked for."""

    slot: Slot
    device: str
    content: bytes
    base: int
    attributes: dict
    answer: tuple[int, str] | None = None
    is_over: bool = False
    """Whether its save was deleted."""
    is_of_deleted: bool = False
    """Whether it is nothing new to a save that was deleted."""


class World:
    """A player's saves, and the state that they have to have."""

    def __init__(self, player, new_device, pool):
        self.player, self.pool = player, pool
        self.on = {name: new_device(name, of=player) for name in DEVICES}
        self.slots: dict[str, Slot] = {}
        self.trash: list[Slot] = []
        self.uploads: list[Upload] = []

    def named(self, name):
        """The save that can be seen under a name."""
        slot = self.slots.get(name)
        return slot if slot and slot.head else None

    async def ask(self, device, name, content, base):
        slot = self.slots.get(name) or Slot(name=name)
        known = [0, *sorted(slot.versions)]
        if base is None:
            grown_from, more = slot.devices.get(device, 0), {}
            if deleted := None if grown_from else self.deleted(slot, device, content):
                attributes = await self.on[device].request_upload(content, name)
                assert not attributes["upload_required"]
                upload = Upload(deleted, device, content, 0, attributes, is_of_deleted=True)
                self.uploads.append(upload)
                return upload
        else:
            grown_from = {"nothing": 0, "head": slot.head}[base] if isinstance(base, str) else known[base % len(known)]
            more = {"base_version": grown_from}
        held = await self.held()
        attributes = await self.on[device].request_upload(content, name, **more)
        assert attributes["upload_required"] == (content not in held)
        if slot.head in (0, grown_from):
            assert not attributes["conflict_expected"]
        elif content not in [one[2] for one in slot.versions.values()]:
            assert attributes["conflict_expected"]
        self.slots[name] = slot
        for upload in self.open():
            if (upload.slot, upload.device, upload.content, upload.base) == (slot, device, content, grown_from):
                assert attributes["internal_save_id"] == upload.attributes["internal_save_id"]
                upload.attributes = attributes
                return upload
        upload = Upload(slot, device, content, grown_from, attributes)
        self.uploads.append(upload)
        return upload

    def deleted(self, slot, device, content):
        """The save of that name in the trash, of which a device has nothing new."""
        if slot.head and slot.versions[slot.head][2] == content:
            return None
        found = [
            one
            for one in self.trash
            if one.name == slot.name and device in one.devices and content in [of[2] for of in one.versions.values()]
        ]
        return found[-1] if found else None

    async def save(self, device, name, content, base):
        upload = await self.ask(device, name, content, base)
        await self._confirm(upload)

    async def confirm(self, number):
        if self.uploads:
            await self._confirm(self.uploads[number % len(self.uploads)])

    async def _confirm(self, upload):
        slot = upload.slot
        if upload.answer is None and upload.attributes["upload_required"] and not upload.is_over:
            assert (await self.on[upload.device].put(upload.attributes, upload.content)).status_code == 200
        response = await self.on[upload.device].confirm(upload.attributes)
        if upload.answer:  # in the trash too
            assert (response.status_code, result(response)) == upload.answer
            return
        if upload.is_over:
            assert response.status_code == 404
            return
        upload.answer = response.status_code, result(response)
        document = response.json()
        if upload.is_of_deleted:
            assert (upload.answer, document["data"]["id"]) == ((200, "deleted"), slot.id)
            return
        if upload.answer[0] == 409:
            await self._branched(upload, document["errors"][0]["meta"])
            return
        assert response.status_code == 200, response.text
        made, came = document["data"]["attributes"], document["meta"]["result"]
        slot.id = slot.id or document["data"]["id"]
        assert slot.id == document["data"]["id"]
        at_head = slot.versions[slot.head][2] if slot.head else None
        if came == "identical":
            assert (at_head, made["version"]) == (upload.content, slot.head)
            slot.devices[upload.device] = slot.head
        elif came == "behind":
            assert (at_head != upload.content, made["version"]) == (True, slot.head)
            kept = await self.kept(slot)
            assert upload.content in [slot.versions[one][2] for one in slot.ancestors(slot.head) & {upload.base, *kept}]
        else:
            assert (came, at_head != upload.content) == ("head", True)
            assert slot.head in (0, upload.base)
            self._grow(slot, made["version"], upload.base, None, upload.content)
            slot.by[slot.head] = upload.device
            slot.devices[upload.device] = slot.head
            assert made["parent_version"] == upload.base

    async def _branched(self, upload, meta):
        slot = upload.slot
        head, branch = meta["head"]["attributes"], meta["branch"]["attributes"]
        assert (meta["savegame_id"], head["version"]) == (slot.id, slot.head)
        assert upload.base != slot.head
        assert branch["version"] not in slot.versions
        slot.versions[branch["version"]] = (upload.base, None, upload.content)
        slot.devices[upload.device] = branch["version"]
        slot.by[branch["version"]] = upload.device
        extended = [one for one, tip in slot.conflicts.items() if tip == upload.base] or [
            one
            for one, tip in slot.conflicts.items()
            if (slot.bases[one], slot.by[tip]) == (upload.base, upload.device)
        ]
        assert [meta["conflict_id"]] == extended or (not extended and meta["conflict_id"] not in slot.conflicts)
        slot.bases.setdefault(meta["conflict_id"], upload.base)
        slot.conflicts[meta["conflict_id"]] = branch["version"]

    def _grow(self, slot, version, parent, merged, content):
        assert version not in slot.versions
        # The head holds what branches have: nothing is left to decide about them.
        equal = {tip for tip in slot.conflicts.values() if slot.versions[tip][2] == content}
        slot.conflicts = {one: tip for one, tip in slot.conflicts.items() if tip not in equal}
        if merged is None and equal and min(equal) < version:
            merged = min(equal)
        slot.versions[version] = (parent, merged, content)
        slot.head = version

    async def load(self, device, name):
        slot = self.named(name)
        if slot:
            assert await self.on[device].load(slot.id) == slot.versions[slot.head][2]
            slot.devices[device] = slot.head

    async def restore(self, name, number):
        slot = self.named(name)
        if not slot:
            return
        version = sorted(slot.versions)[number % len(slot.versions)]
        is_kept = version in await self.kept(slot)
        response = await self.player.post(f"/savegames/{slot.id}/restore", {"version": version})
        assert response.status_code == (200 if is_kept else 404)
        if is_kept and version != slot.head:
            made = response.json()["data"]["attributes"]
            self._grow(slot, made["version"], slot.head, None, slot.versions[version][2])

    async def pin(self, name, number, is_pinned):
        slot = self.named(name)
        if not slot:
            return
        version = sorted(slot.versions)[number % len(slot.versions)]
        is_kept = version in await self.kept(slot)
        response = await self.player.patch(f"/savegames/{slot.id}/versions/{version}", {"is_pinned": is_pinned})
        if not is_pinned or version in slot.pinned:
            expected = 200
        elif not is_kept:
            expected = 404
        else:
            expected = 200 if len(slot.pinned) < MAX_PINNED else 400
        assert response.status_code == expected
        if expected == 200:
            (slot.pinned.add if is_pinned else slot.pinned.discard)(version)

    async def resolve(self, number, way):
        found = [(slot, one) for slot in self.slots.values() for one in slot.conflicts]
        if found:
            await self._resolve(*found[number % len(found)], way)

    async def _resolve(self, slot, conflict_id, way):
        path = f"/savegames/conflicts/{conflict_id}/resolve"
        response = await self.player.post(path, {"resolution": way})
        if response.status_code == 409:  # the head has moved; the refusal shows the new head
            meta = response.json()["errors"][0]["meta"]
            sides = [meta[side]["attributes"]["version"] for side in ("head", "branch")]
            assert sides == [slot.head, slot.conflicts[conflict_id]]
            response = await self.player.post(path, {"resolution": way})
        assert response.status_code == 200, response.text
        document, tip = response.json(), slot.conflicts.pop(conflict_id)
        made = document["data"]["attributes"]
        if way == "keep_both":
            assert made["version"] == slot.head
            copy_id = document["meta"]["copy_savegame_id"]
            copy = (await self.player.get(f"/savegames/{copy_id}"))["data"]["attributes"]
            name, number = copy["slot_name"], copy["version"]
            assert name not in self.slots
            versions = {number: (0, None, slot.versions[tip][2])}
            self.slots[name] = Slot(copy_id, number, versions, by={number: slot.by[tip]}, name=name)
            return
        content = slot.versions[tip if way == "keep_local" else slot.head][2]
        by = slot.by.get(tip if way == "keep_local" else slot.head)
        self._grow(slot, made["version"], slot.head, tip, content)
        slot.by[slot.head] = by

    async def delete(self, name):
        slot = self.named(name)
        if slot:
            assert (await self.player.http.delete(f"/savegames/{slot.id}")).status_code == 204
            del self.slots[name]
            self.trash.append(slot)
            for upload in self.uploads:
                upload.is_over = upload.is_over or (upload.slot is slot and not upload.is_of_deleted)

    async def undelete(self, number):
        if self.trash:
            slot = self.trash.pop(number % len(self.trash))
            response = await self.player.post(f"/savegames/{slot.id}/undelete")
            assert response.status_code == 200
            name = response.json()["data"]["attributes"]["slot_name"]
            assert name not in self.slots
            self.slots[name], slot.name = slot, name

    async def listed(self, slot):
        found = await self.player.get(f"/savegames/{slot.id}/versions", limit=100)
        return {one["attributes"]["version"]: one["attributes"] for one in found["data"]}

    async def kept(self, slot):
        """The versions whose bytes are there."""
        return {number for number, one in (await self.listed(slot)).items() if one["status"] != "pruned"}

    def open(self):
        """Uploads that can still be confirmed."""
        return [
            upload
            for upload in self.uploads
            if upload.answer is None and not upload.is_over and not upload.is_of_deleted
        ]

    async def held(self):
        """The contents that are there, in the trash too: what versions hold, and what uploads have joined."""
        found = await self.pool.fetch(
            "SELECT file_hash_sha256 FROM savegames.savegame_metadata WHERE user_id = $1 AND content_id IS NOT NULL",
            self.player.id,
        )
        hashes = {row["file_hash_sha256"] for row in found}
        joined = {upload.content for upload in self.open() if not upload.attributes["upload_required"]}
        return {content for content in CONTENTS if sha256(content).digest() in hashes} | joined

    async def check(self):
        """Checks everything that has to be true while no request runs."""
        seen = {slot.id: (name, slot) for name, slot in self.slots.items() if slot.head}
        listed = (await self.player.get("/savegames", limit=100))["data"]
        assert {one["id"]: one["attributes"]["slot_name"] for one in listed} == {
            slot_id: name for slot_id, (name, _) in seen.items()
        }
        for one in listed:
            assert one["attributes"]["version"] == seen[one["id"]][1].head
        trashed = (await self.player.get("/savegames", trashed="true", limit=100))["data"]
        assert {one["id"] for one in trashed} == {slot.id for slot in self.trash}
        conflicts = (await self.player.get("/savegames/conflicts", limit=100))["data"]
        assert {
            one["id"]: (
                one["attributes"]["head"]["attributes"]["version"],
                one["attributes"]["branch"]["attributes"]["version"],
            )
            for one in conflicts
        } == {one: (slot.head, tip) for slot in self.slots.values() for one, tip in slot.conflicts.items()}
        for _, slot in seen.values():
            await self._check_slot(slot)
        used = (await self.player.get("/savegames/quota"))["data"]["attributes"]
        held = await self.held()
        assert used["used_bytes"] == sum(map(len, held))
        awaited = {upload.content for upload in self.open() if upload.attributes["upload_required"]}
        assert used["reserved_bytes"] == sum(map(len, awaited - held))

    async def _check_slot(self, slot):
        listed = await self.listed(slot)
        history = slot.ancestors(slot.head)
        beside = set().union(*(slot.ancestors(tip) for tip in slot.conflicts.values()))
        parents = {number: (one["parent_version"], one["merged_version"]) for number, one in listed.items()}
        assert parents == {number: one[:2] for number, one in slot.versions.items()}
        kept = {number for number, one in listed.items() if one["status"] != "pruned"}
        assert kept >= {slot.head, *slot.pinned, *slot.conflicts.values()}
        assert len(kept) >= min(len(slot.versions), MAX_VERSIONS)
        for number, one in listed.items():
            status = "head" if number == slot.head else "branch" if number in beside - history else "history"
            assert one["status"] == (status if number in kept else "pruned")
            assert one["is_pinned"] == (number in slot.pinned)
            assert one["file_hash_sha256"] == sha256(slot.versions[number][2]).hexdigest()
        for number in kept:
            assert await self.on["pc"].fetch(slot.id, number) == slot.versions[number][2]


def result(response):
    document = response.json()
    return document["meta"].get("result") or document["errors"][0]["meta"]["conflict_id"]


@settings(
    max_examples=sized(3, 16),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(story=stories, endings=st.permutations(4 * WAYS))
async def test_whatever_devices_do_no_bytes_are_lost_and_the_tree_is_true(new_player, new_device, jobs, story, endings):
    player = new_player()
    async with jobs.transactions.begin(player.id) as transaction:
        grant = NewGrant(new_device().product, GrantKind.ORDER, str(uuid4()), jobs.now())
        await transaction.of(LibraryService).grant(player.id, [grant])
    world = World(player, new_device, jobs.pool)
    for name, *arguments in story:
        await getattr(world, name)(*arguments)
    await world.check()
    while world.trash:
        await world.undelete(0)
    for way in endings:
        await world.resolve(len(story), way)
    while any(slot.conflicts for slot in world.slots.values()):
        await world.resolve(0, endings[0])
    await world.check()
    await jobs.run(timedelta(hours=2), compare=False)
    jobs.ahead = timedelta()
    world.uploads = [upload for upload in world.uploads if upload.answer]
    world.slots = {name: slot for name, slot in world.slots.items() if slot.head}
    await world.check()
    assert await jobs.keys(player) == await jobs.known_keys(player)
