"""Plans: what a device has to do with each save, over real rows, and what other devices are at."""

from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import (
    NotedIntent,
    OtherDeviceState,
    PlanIntent,
    PlanSaves,
    PolicyFact,
    PolicyStore,
    Proceed,
    SavegameDevices,
    SavegamePlans,
    SavegamePreferences,
    SavegameSlotNotFound,
    SavegameVersionNotFound,
    SeenGameVersions,
    UserQuotaExceeded,
)
from gameshelf.savegames._policies import from_event

HOUR = timedelta(hours=1)


class Plays:
    """Implements the port to playtime: what was played on which device."""

    def __init__(self):
        self.found = []
        self.asked = []

    def play(self, device_id, seconds, running_since=None):
        self.found.append(SimpleNamespace(device_id=device_id, seconds=seconds, running_since=running_since))

    async def unsynced(self, user_id, product_id, moments, otherwise):
        self.asked.append((moments, otherwise))
        return self.found


class Device:
    """A device that asks for plans, and notes what they say as the service does."""

    def __init__(self, player, device_id="deck", plays=None):
        self.player, self.id = player, device_id
        self.plays = plays or Plays()
        self.plans = SavegamePlans(player.connection, self.plays, player.clock)

    async def plan(self, *slots, intent="launch", **more):
        asked = PlanSaves(
            product_id=self.player.product, device_id=self.id, intent=PlanIntent(intent), slots=slots, **more
        )
        found = await self.plans.plan(self.player.id, asked)
        if found.noted:
            await SavegameDevices(self.player.connection).note_intent(self.player.id, found.noted)
        return found

    async def steps(self, *slots, **more):
        """Action and reason of each save, by name."""
        found = await self.plan(*slots, **more)
        return {one.slot_name: (one.planned.action, one.planned.reason) for one in found.slots}

    async def save(self, content, slot="slot", **more):
        return await self.player.save(content, slot, device_id=self.id, **more)


def has(content, name="slot", **more):
    return {"slot_name": name, "content_hash": sha256(content).hexdigest(), **more}


@pytest.fixture
def deck(player):
    return Device(player)


@pytest.fixture
def desk(player):
    return Device(player, "desk")


async def test_what_to_do_follows_from_the_history(deck, desk):
    assert await deck.steps(has(b"1")) == {"slot": ("upload", "new")}
    assert await deck.steps({"slot_name": "slot"}) == {"slot": ("none", "nothing")}
    await deck.save(b"1")
    assert await deck.steps(has(b"1")) == {"slot": ("none", "identical")}
    assert await deck.steps(has(b"2")) == {"slot": ("upload", "changed")}
    assert await desk.steps() == {"slot": ("download", "not_here")}
    assert await desk.steps({"slot_name": "slot"}) == {"slot": ("download", "not_here")}
    assert await desk.steps(has(b"defaults")) == {"slot": ("conflict", "diverged")}
    await deck.save(b"2", base_version=1)
    assert await desk.steps(has(b"1")) == {"slot": ("download", "behind")}
    assert await deck.steps(has(b"1", base_version=1)) == {"slot": ("download", "behind")}
    assert await deck.steps(has(b"3", base_version=1)) == {"slot": ("conflict", "diverged")}


async def test_old_bytes_on_the_head_are_named_as_a_regression(deck):
    await deck.save(b"1")
    await deck.save(b"2", base_version=1)
    found = await deck.plan(has(b"1", base_version=2))
    [slot] = found.slots
    assert (slot.planned.action, slot.planned.reason, slot.planned.regresses_to) == ("upload", "regresses", 1)
    assert found.proceed is Proceed.ASK


async def test_an_open_conflict_is_named_until_it_is_resolved(deck, desk):
    saved = await deck.save(b"1")
    await deck.save(b"2", base_version=1)
    branch = await desk.save(b"other", base_version=1)
    [slot] = (await desk.plan(has(b"third", base_version=1))).slots
    assert (slot.planned.action, slot.planned.reason) == ("conflict", "open_conflict")
    assert (slot.planned.conflict_id, slot.planned.branch_version) == (branch.conflict_id, branch.branch_version)
    # A third device with the branch's content belongs to it; one with the head's has nothing to do with it.
    assert await Device(desk.player, "tv").steps(has(b"other")) == {"slot": ("conflict", "open_conflict")}
    assert await deck.steps(has(b"2")) == {"slot": ("none", "identical")}
    assert slot.planned.savegame_id == saved.slot_id


async def test_a_deleted_save_is_not_uploaded_again(deck, player):
    saved = await deck.save(b"1")
    await player.service.delete(player.id, saved.slot_id)
    assert await deck.steps(has(b"1")) == {"slot": ("deleted", "deleted_elsewhere")}
    assert await deck.steps(has(b"2")) == {"slot": ("upload", "new")}
    assert await deck.steps(has(b"1", base_version=0)) == {"slot": ("upload", "new")}
    named = has(b"1", savegame_id=saved.slot_id, name="renamed")
    assert await Device(player, "desk").steps(named) == {"renamed": ("deleted", "deleted_elsewhere")}
    assert await Device(player, "desk").steps(has(b"1")) == {"slot": ("upload", "new")}


async def test_the_bytes_of_a_deleted_save_are_no_conflict_with_a_new_one(deck, desk, player):
    old = await deck.save(b"old")
    await player.synced(old.slot_id, "desk", 1)
    await player.service.delete(player.id, old.slot_id)
    await deck.save(b"new")
    [slot] = (await desk.plan(has(b"old"))).slots
    assert (slot.planned.action, slot.planned.savegame_id) == ("deleted", None)
    assert (await desk.save(b"old")).result == "deleted"
    assert await desk.steps(has(b"old, played on")) == {"slot": ("conflict", "diverged")}
    assert await desk.steps(has(b"old", base_version=0)) == {"slot": ("conflict", "diverged")}
    assert await desk.steps(has(b"new")) == {"slot": ("none", "identical")}


async def test_names_that_fold_to_one_are_one_save(deck):
    await deck.save(b"1", "Slot")
    assert await deck.steps(has(b"1", "SLOT.")) == {"SLOT.": ("none", "identical")}
    with pytest.raises(InvalidInput) as refused:
        await deck.plan(has(b"1", "a"), has(b"1", "b"), has(b"1", "A"))
    [problem] = refused.value.problems
    assert (problem.rule, problem.pointer, problem.params) == ("slot_named_twice", "slots/2/slot_name", {"other": "a"})


async def test_a_save_or_a_base_that_never_was_is_refused(deck, player):
    saved = await deck.save(b"1")
    elsewhere = await player.save(b"1", product_id=uuid4())
    for savegame_id in (uuid4(), elsewhere.slot_id):
        with pytest.raises(SavegameSlotNotFound) as refused:
            await deck.plan(has(b"1"), has(b"1", "other", savegame_id=savegame_id))
        assert refused.value.pointer == "slots/1/savegame_id"
    with pytest.raises(SavegameVersionNotFound) as refused:
        await deck.plan(has(b"1", base_version=2))
    assert refused.value.pointer == "slots/0/base_version"
    # A number that an earlier save of the name had: from nothing.
    await player.service.delete(player.id, saved.slot_id, permanent=True)
    await deck.save(b"9")
    assert await deck.steps(has(b"2", base_version=1)) == {"slot": ("conflict", "diverged")}
    with pytest.raises(SavegameVersionNotFound):
        await deck.plan(has(b"2", "never", base_version=1))


async def test_what_belongs_to_another_save_of_the_name_grew_from_nothing(deck, player):
    saved = await deck.save(b"1")
    other = await deck.save(b"1", "other")
    assert await deck.steps(has(b"2", savegame_id=saved.slot_id)) == {
        "slot": ("upload", "changed"),
        "other": ("download", "not_here"),
    }
    steps = await deck.steps(has(b"2", savegame_id=other.slot_id, base_version=1))
    assert steps["slot"] == ("conflict", "diverged")


async def test_what_the_policy_says_counts(deck, desk, player):
    async def policy(revision, **document):
        document = from_event({"revision": revision, **document})
        await PolicyStore(player.connection, player.clock).apply([PolicyFact(player.product, document, player.now)])

    assert (await deck.plan()).policy.revision == 0
    await deck.save(b"1")
    await policy(3, mode="backup")
    assert await desk.steps() == {"slot": ("none", "backup")}
    assert await desk.steps(intent="manual") == {"slot": ("download", "not_here")}
    assert await deck.steps(has(b"2")) == {"slot": ("upload", "changed")}
    await policy(4, mode="off")
    assert await deck.steps(has(b"2"), intent="manual") == {"slot": ("none", "policy_off")}
    assert (await deck.plan()).policy.revision == 4


async def test_automatic_synchronisation_can_be_switched_off(deck, player):
    preferences = SavegamePreferences(player.connection, player.clock)
    await deck.save(b"1")
    for product in (None, player.product):
        await preferences.set_auto_sync(player.id, False, product)
        assert await preferences.auto_sync(player.id, product) is False
        found = await deck.plan(has(b"2"), intent="exit")
        assert (found.auto_sync, found.slots[0].planned.reason, found.noted.pending_slots) == (
            False,
            "auto_sync_off",
            (),
        )
        assert await deck.steps(has(b"2"), intent="manual") == {"slot": ("upload", "changed")}
        await preferences.set_auto_sync(player.id, True, product)
        assert await preferences.auto_sync(player.id, product) is True
    await preferences.set_auto_sync(player.id, False, uuid4())
    assert (await deck.plan()).auto_sync is True


async def test_preferences_of_a_user_are_bounded(player, monkeypatch):
    preferences = SavegamePreferences(player.connection, player.clock)
    await player.connection.execute(
        "INSERT INTO savegames.savegame_preferences SELECT $1, gen_random_uuid(), false, now() "
        "FROM generate_series(1, 10000)",
        player.id,
    )
    with pytest.raises(UserQuotaExceeded):
        await preferences.set_auto_sync(player.id, False, player.product)


async def test_an_exit_without_an_upload_is_pending_until_the_commit(deck, desk, player):
    await deck.save(b"1")
    assert (await deck.plan(has(b"1"), intent="exit", device_name="Deck")).noted.pending_slots == ()
    assert (await desk.plan()).others == ()
    first = player.now
    for _ in range(2):
        await deck.plan(has(b"2"), intent="exit")
        player.later(minutes=5)
    desk.plays.play("deck", 7800)
    found = await desk.plan()
    [other] = found.others
    assert (other.device_id, other.device_name, other.state) == ("deck", "Deck", OtherDeviceState.UPLOAD_PENDING)
    assert (other.slot_name, other.since, other.unsynced_playtime_seconds) == ("slot", first, 7800)
    assert found.proceed is Proceed.ASK
    assert (await desk.plan(intent="background")).proceed is Proceed.YES
    assert (await deck.plan()).others == ()
    # What is being uploaded is no longer pending.
    reservation = await player.request(b"2", device_id="deck", base_version=1)
    [other] = (await desk.plan()).others
    assert (other.state, other.slot_name) == (OtherDeviceState.UPLOAD_OPEN, "slot")
    assert (await desk.plan()).proceed is Proceed.WAIT
    await player.confirm(reservation)
    assert (await desk.plan(has(b"1"))).others == ()


async def test_what_a_device_commits_is_not_pending_and_the_rest_is(deck, desk, player):
    await deck.save(b"1", "World")
    await deck.plan(has(b"2", "WORLD"), has(b"1", "new"), has(b"1", "third"), intent="exit")

    async def pending():
        return [(one.state, one.slot_name) for one in (await desk.plan()).others]

    assert await pending() == [("upload_pending", "World")]
    await deck.save(b"1", "new")
    await deck.save(b"another save")
    assert await pending() == [("upload_pending", "World")]
    await deck.save(b"2", "world", base_version=1)
    assert await pending() == [("upload_pending", "third")]
    await deck.save(b"1", "third")
    assert await pending() == []


async def test_a_plan_that_is_older_than_a_commit_does_not_say_pending(deck, desk, player):
    await deck.save(b"1")
    await deck.plan(has(b"1"), intent="exit")
    late = NotedIntent(player.product, "deck", None, PlanIntent.EXIT, ("slot",), player.now)
    player.later(seconds=1)
    await deck.save(b"2", base_version=1)
    await SavegameDevices(player.connection).note_intent(player.id, late)
    assert (await desk.plan(has(b"1"))).others == ()


async def test_a_suspended_session_ends_with_the_next_intent(deck, desk, player):
    await deck.save(b"1")
    await deck.plan(has(b"1"), intent="suspend")
    [other] = (await desk.plan()).others
    assert (other.state, other.since) == (OtherDeviceState.SESSION_SUSPENDED, player.now)
    player.later(minutes=1)
    await deck.plan(has(b"1"), intent="launch")
    assert (await desk.plan()).others == ()
    await deck.plan(has(b"1"), intent="suspend")
    player.later(days=7)
    assert (await desk.plan()).others == ()


async def test_what_is_pending_for_a_month_is_left_out(deck, desk, player):
    await deck.save(b"1")
    await deck.plan(has(b"2"), intent="exit")
    player.later(days=29)
    assert (await desk.plan()).proceed is Proceed.ASK
    player.later(days=1)
    assert (await desk.plan()).others == ()


async def test_play_counts_from_the_last_commit_for_a_month_at_most(deck, desk, player):
    await deck.plan(has(b"1"), intent="exit")
    await deck.save(b"1")
    committed_at = player.now - timedelta(seconds=1)
    player.later(hours=5)
    await desk.plan()
    assert desk.plays.asked[-1] == ({"deck": committed_at}, player.now - timedelta(days=30))
    player.later(days=40)
    await desk.plan()
    assert desk.plays.asked[-1] == ({"deck": player.now - timedelta(days=30)}, player.now - timedelta(days=30))


async def test_devices_of_a_product_are_bounded(player):
    devices = SavegameDevices(player.connection)
    for number in range(70):
        noted = NotedIntent(player.product, f"deck {number}", None, PlanIntent.EXIT, ("slot",), player.now)
        await devices.note_intent(player.id, noted)
        player.later(seconds=1)
    others = (await Device(player, "desk").plan()).others
    assert {one.device_id for one in others} == {f"deck {number}" for number in range(6, 70)}


async def test_a_save_of_a_newer_version_of_the_game_is_named(deck, player):
    async def seen(version):
        waiting = SeenGameVersions()
        for hours in (0, -1, 1):
            waiting.note(player.product, version, player.now + hours * HOUR)
        await waiting.store(player.connection)
        assert not waiting.is_waiting
        player.later(hours=1)

    async def wrote_head(version):
        found = await deck.plan(has(b"2"), game_version_id=version)
        return found.slots[0].planned.written_by_newer_version, set(found.game_versions)

    assert (await deck.plan(game_version_id="1")).game_versions == {}  # no save, no version
    await deck.save(b"1")
    wrote = "UPDATE savegames.savegame_metadata SET game_version_id = '2' WHERE user_id = $1"
    await player.connection.execute(wrote, player.id)
    assert await wrote_head("1") == (None, {"1", "2"})
    await seen("1")
    assert await wrote_head("1") == ("2", {"2"})  # one that was never seen counts as seen now
    await seen("2")
    assert await wrote_head("1") == ("2", set())
    assert await wrote_head("2") == (None, set())
    assert await wrote_head("3") == (None, {"3"})
    await seen("1")  # seen again: the first time counts
    assert await wrote_head("1") == ("2", set())


async def test_two_versions_of_a_game_that_are_seen_together_have_an_order(deck, player):
    await deck.save(b"1")
    wrote = "UPDATE savegames.savegame_metadata SET game_version_id = 'head' WHERE user_id = $1"
    await player.connection.execute(wrote, player.id)
    written_at = player.now - timedelta(seconds=1)
    player.later(hours=1)
    versions = (await deck.plan(has(b"2"), game_version_id="own")).game_versions
    assert versions == {"head": written_at, "own": player.now}
    waiting = SeenGameVersions()
    for version, at in versions.items():
        waiting.note(player.product, version, at)
    await waiting.store(player.connection)  # one run of the job
    planned = (await deck.plan(has(b"2"), game_version_id="own")).slots[0].planned
    assert planned.written_by_newer_version is None
    stored = "UPDATE savegames.savegame_metadata SET game_version_id = 'own' WHERE user_id = $1"
    await player.connection.execute(stored, player.id)
    planned = (await deck.plan(has(b"2"), game_version_id="head")).slots[0].planned
    assert planned.written_by_newer_version == "own"


async def test_two_hundred_saves_are_planned_together(deck, desk, player):
    for number in range(200):
        await deck.save(b"%d" % number, f"slot {number}")
    asked = [has(b"%d" % (number + number % 2), f"slot {number}") for number in range(199)]
    found = await deck.plan(*asked)
    assert [one.planned.reason for one in found.slots[:2]] == ["identical", "changed"]
    assert len(found.slots) == 200
    assert found.slots[-1].planned.reason == "not_here"
    assert {one.planned.action for one in (await desk.plan()).slots} == {"download"}
