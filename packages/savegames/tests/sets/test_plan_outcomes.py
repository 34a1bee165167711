"""What a plan announces is what the commit then does, after any history of sets and single files, if nothing changes in
between. On a real PostgreSQL.
"""

from itertools import product
from random import Random

import pytest
from gameshelf.savegames import (
    ConflictsFilter,
    PlanIntent,
    PlanSaves,
    Resolve,
    SavegameBaseNotSynced,
    SavegamePlans,
    SavegameShrinks,
    UploadResult,
)
from gameshelf.savegames._files import SaveFile, hash_of, ordered
from gameshelf.savegames._lists import decode
from gameshelf.savegames._policies import SavePolicy
from gameshelf.savegames._units import SaveUnits

DEVICES = ["pc", "deck", "laptop"]
WORLDS = [
    [{}, {"s/w1/a": b"1"}, {"s/w1/a": b"22"}, {"s/w1/a": b"1", "s/w1/c": b"333"}],
    [{"s/w2/b": b"1"}, {"s/w2/b": b"22"}, {"s/w2/b": b"4444", "s/w2/d": b"22"}],
]
SETS = [one | two for one, two in product(*WORLDS)]
FILES = [b"1", b"22", b"333", b"4444"]
CONTENTS = {"sets": SETS, "files": FILES, "both": SETS + FILES}
POLICY = {"merge": "units", "units": [{"name": "{w}", "match": ["s/{w}/**"]}]}
UNITS = SaveUnits(SavePolicy.model_validate(POLICY))
ANNOUNCED = {
    ("none", "identical"): UploadResult.IDENTICAL,
    ("download", "behind"): UploadResult.BEHIND,
    ("upload", "new"): UploadResult.HEAD,
    ("upload", "changed"): UploadResult.HEAD,
    ("upload", "regresses"): UploadResult.HEAD,
    ("merge", "units"): UploadResult.RESOLVED,
    ("conflict", "diverged"): UploadResult.CONFLICT,
    ("conflict", "base_not_synced"): SavegameBaseNotSynced,
    ("deleted", "deleted_elsewhere"): UploadResult.DELETED,
}
"""By action and reason. An open conflict is repeated whatever the device has: it is a question."""


class NoPlay:
    async def unsynced(self, *_):
        return []


def listed(content, sets):
    return ordered(SaveFile(path, len(data), bytes.fromhex(sets.hash_of(data))) for path, data in content.items())


class Household:
    """Devices of a player, which plan before they save."""

    def __init__(self, sets, random):
        self.sets, self.player, self.random = sets, sets.player, random
        self.plans = SavegamePlans(self.player.connection, NoPlay(), self.player.clock)
        self.seen = set()

    async def slots(self):
        return {row["slot_name"]: row for row in await self.player.rows("slots") if row["head_version"]}

    async def plan(self, device, name, content, more):
        about = {"slot_name": name, **{key: more[key] for key in more.keys() & {"base_version", "savegame_id"}}}
        if isinstance(content, dict):
            files = listed(content, self.sets)
            about["content_hash"] = hash_of(files).hex()
            about["units"] = [{"name": unit, "sha256": found.hex()} for unit, found in UNITS.hashes(files).items()]
        else:
            about["content_hash"] = self.sets.hash_of(content)
        asked = {"product_id": self.player.product, "device_id": device, "intent": PlanIntent.LAUNCH}
        return (await self.plans.plan(self.player.id, PlanSaves(**asked, slots=[about]))).slots[0].planned

    async def commit(self, device, name, content, more):
        """Saves; the user confirms what is removed. Returns the outcome, or the error that refused it."""
        save = self.sets.save if isinstance(content, dict) else self.player.save
        try:
            return await save(content, name, device_id=device, **more)
        except SavegameShrinks as shrinks:
            more = {**more, "confirm_removals": shrinks.meta["removed"]}
            return await save(content, name, device_id=device, **more)
        except SavegameBaseNotSynced as error:
            return error

    async def save(self):
        """A device asks for a plan, and saves."""
        name, device = self.random.choice(list(CONTENTS)), self.random.choice(DEVICES)
        content, more = self.random.choice(CONTENTS[name]), {}
        slot = (await self.slots()).get(name)
        if slot and slot["deleted_at"] is None and self.random.random() < 0.6:
            versions = [row for row in await self.player.rows("metadata") if row["slot_id"] == slot["id"]]
            more["base_version"] = self.random.choice([0, slot["head_version"], *(row["version"] for row in versions)])
        head = await self.head_of(slot) if slot else None
        planned = await self.plan(device, name, content, more)
        found = await self.commit(device, name, content, more)
        step = (planned.action, planned.reason)
        self.seen.add(planned.reason)
        if planned.reason == "open_conflict":
            return
        if step == ("conflict", "base_not_synced") and not isinstance(content, dict):
            # A hash alone may be that of a set, as the head is: the plan asks the user, and the request passes.
            assert (head != (), found.result) == (True, UploadResult.HEAD)
            return
        if step == ("merge", "units") and found.result is UploadResult.CONFLICT:
            # The hash of a unit does not say that it has lost most of its files.
            units, ours = UNITS.split(listed(content, self.sets)), UNITS.split(head)
            assert any(ours[key].files.keys() - units[key].files.keys() for key in units.keys() & ours.keys())
            return
        if step == ("conflict", "diverged") and found.resolution == "merge":
            # A plan knows only bases that the head grew from. Where the branch of the base has become a save of its
            # own, the commit still finds the version at which the branch had left.
            assert not await self.is_in_head(found)
            return
        result = type(found) if isinstance(found, SavegameBaseNotSynced) else found.result
        assert result == ANNOUNCED[step], (step, device, name, content, more, found)
        if result is UploadResult.HEAD:
            assert found.regresses_to == planned.regresses_to

    async def is_in_head(self, outcome):
        """Whether the head grew from the base of a branch before the branch was merged: both sides meet there."""
        rows = {row["version"]: row for row in await self.player.rows("metadata") if row["slot_id"] == outcome.slot_id}
        version, history = rows[outcome.version]["parent_version"], set()
        waiting = [version]
        while waiting:
            if (version := waiting.pop()) and version not in history:
                history.add(version)
                waiting += [rows[version]["parent_version"], rows[version]["merged_version"]]
        return rows[outcome.branch_version]["parent_version"] in {0, *history}

    async def head_of(self, slot):
        """The files of a head that is a set."""
        rows = {row["id"]: row for row in await self.player.rows("manifests")}
        for row in await self.player.rows("metadata"):
            if (row["slot_id"], row["version"]) == (slot["id"], slot["head_version"]) and row["manifest_id"]:
                return decode(rows[row["manifest_id"]]["body"])
        return ()

    async def synced(self):
        for slot in (await self.slots()).values():
            if slot["deleted_at"] is None:
                await self.player.synced(slot["id"], self.random.choice(DEVICES), slot["head_version"])

    async def restore(self):
        for slot in (await self.slots()).values():
            if slot["deleted_at"] is None:
                rows = [row for row in await self.player.rows("metadata") if row["slot_id"] == slot["id"]]
                kept = [row["version"] for row in rows if row["content_id"]]
                await self.player.service.restore(self.player.id, slot["id"], self.random.choice(kept))

    async def resolve(self):
        for one in (await self.player.queries.conflicts(self.player.id, ConflictsFilter())).items[:1]:
            way = self.random.choice(["keep_local", "keep_cloud", "keep_both"])
            sides = {"head_version": one.head.version, "branch_version": one.branch.version}
            await self.player.conflicts.resolve(self.player.id, one.id, Resolve(resolution=way, **sides))

    async def delete(self):
        slots = [slot for slot in (await self.slots()).values() if slot["deleted_at"] is None]
        if slots:
            permanent = self.random.random() < 0.3
            await self.player.service.delete(self.player.id, self.random.choice(slots)["id"], permanent=permanent)

    async def undelete(self):
        for slot in await self.player.rows("slots"):
            if slot["deleted_at"]:
                await self.player.service.undelete(self.player.id, slot["id"])


WEIGHTS = {
    Household.save: 16,
    Household.synced: 3,
    Household.restore: 1,
    Household.resolve: 4,
    Household.delete: 1,
    Household.undelete: 1,
}


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 60))])
async def test_what_a_plan_announces_is_what_the_commit_does(new_player, of_player, seed):
    random = Random(seed)
    player = new_player(max_versions=3)
    await player.set_policy(**POLICY)
    household = Household(of_player(player), random)
    for action in random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=80):
        await action(household)
        player.later(seconds=random.choice([1, 3600]))
    assert {"changed", "diverged"} <= household.seen
