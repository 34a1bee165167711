"""What a synchronisation does with two devices, and that nothing is lost."""

from dataclasses import replace

import pytest
from gameshelf.savesync.apply_errors import PathInTheWay
from gameshelf.savesync.conflict import ConflictDecision, ConflictResolution, UnitSide, merge_what_is_clear
from gameshelf.savesync.errors import RootUnreadable
from gameshelf.savesync.lock import locked
from gameshelf.savesync.report import SyncAction, SyncExit, SyncIntent
from gameshelf.savesync.state import Device


async def both_have(deck, desktop, **files):
    deck.write(**files)
    await deck.run()
    await desktop.run()


async def test_a_save_comes_to_the_other_device(cloud, deck, desktop):
    deck.put("w1/level.sav", "one")
    deck.put("игра.sav", "two")
    deck.put("cache.bin", "the game's own")
    first = await deck.run()
    assert (first.slots[0].action, first.slots[0].version, first.exit_code) == (SyncAction.UPLOAD, 1, SyncExit.IN_SYNC)
    second = await desktop.run()
    assert (second.slots[0].action, second.slots[0].downloaded_bytes) == (SyncAction.DOWNLOAD, 6)
    assert desktop.files == {"w1/level.sav": "one", "игра.sav": "two"}
    assert (desktop.saves / "игра.sav").stat().st_mtime_ns // 1000 == (
        deck.saves / "игра.sav"
    ).stat().st_mtime_ns // 1000


async def test_a_second_run_moves_nothing(cloud, service, deck):
    deck.write(a="one")
    await deck.run()
    service.requests.clear()
    report = await deck.run()
    assert (report.slots[0].action, report.slots[0].reason) == (SyncAction.NONE, "identical")
    assert service.requests == ["POST savegames/plan"]


async def test_changes_and_deletions_go_both_ways(cloud, deck, desktop):
    await both_have(deck, desktop, a="one", b="two", c="three")
    desktop.write(a="one, further")
    (desktop.saves / "b.sav").unlink()
    (deck.saves / "engine.bin").write_bytes(b"the game's own")
    await desktop.run()
    report = await deck.run()
    assert report.slots[0].reason == "applied"
    assert deck.files == {"a.sav": "one, further", "c.sav": "three", "engine.bin": "the game's own"}
    deck.write(d="four")
    await deck.run()
    await desktop.run()
    assert desktop.files == {"a.sav": "one, further", "c.sav": "three", "d.sav": "four"}


async def test_the_same_content_on_a_new_device_moves_no_bytes(cloud, service, deck, desktop):
    deck.write(a="one")
    desktop.write(a="one")
    await deck.run()
    service.requests.clear()
    await desktop.run()
    sent = [one.partition("savegames/")[2].split("/") for one in service.requests]
    assert [one[0] if one[0] in ("policy", "plan") else one[1] for one in sent] == ["policy", "plan", "synced"]
    desktop.write(a="two")
    assert (await desktop.run()).slots[0].version == 2


async def diverged(deck, desktop):
    await both_have(deck, desktop, **{"w1/a": "one", "w2/b": "two"})
    deck.put("w1/a.sav", "deck")
    await deck.run()
    desktop.put("w2/b.sav", "desktop")


async def test_an_undecided_conflict_keeps_both(cloud, deck, desktop):
    await diverged(deck, desktop)
    report = await desktop.run()
    assert report.exit_code == SyncExit.DECISION_NEEDED
    assert report.slots[0].conflict.branch.version == 3
    assert desktop.files == {"w1/a.sav": "one", "w2/b.sav": "desktop"}
    again = await desktop.run()
    assert again.slots[0].conflict.id == report.slots[0].conflict.id
    assert [unit.suggested for unit in again.slots[0].conflict.units] == ["head", "branch"]


@pytest.mark.parametrize(
    ("resolution", "files"),
    [
        (ConflictResolution.KEEP_LOCAL, {"w1/a.sav": "one", "w2/b.sav": "desktop"}),
        (ConflictResolution.KEEP_CLOUD, {"w1/a.sav": "deck", "w2/b.sav": "two"}),
        (ConflictResolution.MERGE, {"w1/a.sav": "deck", "w2/b.sav": "desktop"}),
    ],
)
async def test_a_decided_conflict_ends_on_both_devices(cloud, deck, desktop, resolution, files):
    await diverged(deck, desktop)
    desktop.decisions = [ConflictDecision(resolution)]
    report = await desktop.run()
    assert (report.slots[0].reason, report.exit_code) == (resolution, SyncExit.IN_SYNC)
    assert desktop.files == files
    await deck.run()
    assert deck.files == files
    assert not cloud.conflicts


async def test_what_is_clear_is_merged_without_a_question(cloud, deck, desktop):
    await diverged(deck, desktop)
    desktop.decisions = [merge_what_is_clear]
    await desktop.run()
    assert desktop.files == {"w1/a.sav": "deck", "w2/b.sav": "desktop"}


async def test_a_unit_that_both_changed_is_named(cloud, deck, desktop):
    await diverged(deck, desktop)
    desktop.put("w1/a.sav", "desktop too")
    desktop.decisions = [merge_what_is_clear]
    assert (await desktop.run()).slots[0].conflict.unnamed[0].name == "w1"
    desktop.decisions = [ConflictDecision(ConflictResolution.MERGE, {"w1": UnitSide.BRANCH})]
    await desktop.run()
    assert desktop.files == {"w1/a.sav": "desktop too", "w2/b.sav": "desktop"}


async def test_playing_on_with_an_open_conflict_loses_nothing(cloud, deck, desktop):
    await diverged(deck, desktop)
    await desktop.run()
    desktop.put("w2/b.sav", "desktop, further")
    desktop.decisions = [ConflictDecision(ConflictResolution.KEEP_CLOUD)]
    await desktop.run()
    assert desktop.files == {"w1/a.sav": "deck", "w2/b.sav": "two"}
    kept = cloud.service.slots["main"].versions
    sent = {file["sha256"] for files in kept.values() for file in files}
    assert {"desktop", "desktop, further"} <= {cloud.service.contents[one].decode() for one in sent}


async def test_a_file_that_changes_during_the_decision_is_sent_first(cloud, deck, desktop):
    await diverged(deck, desktop)

    def slowly(_conflict):
        desktop.put("w2/b.sav", "written while the player thought")
        return ConflictDecision(ConflictResolution.KEEP_CLOUD)

    desktop.decisions = [slowly, ConflictDecision(ConflictResolution.KEEP_CLOUD)]
    await desktop.run()
    assert desktop.files == {"w1/a.sav": "deck", "w2/b.sav": "two"}
    assert b"written while the player thought" in cloud.service.contents.values()


async def test_defaults_that_a_game_wrote_first_are_a_conflict(cloud, deck, desktop):
    deck.write(a="200 hours")
    await deck.run()
    desktop.write(a="defaults")
    report = await desktop.run()
    assert report.slots[0].conflict
    assert cloud.head_files() == {"saves/a.sav": b"200 hours"}
    assert desktop.files == {"a.sav": "defaults"}


async def test_a_base_that_was_never_synced_becomes_a_branch(cloud, deck, desktop):
    await both_have(deck, desktop, a="one")
    cloud.history(cloud.service.slots["main"]).devices["desktop"] = 0  # an older database
    desktop.write(a="two")
    report = await desktop.run()
    assert report.slots[0].conflict
    assert cloud.head_files() == {"saves/a.sav": b"one"}


async def test_a_copied_home_folder_is_a_device_without_a_conflict(cloud, deck):
    deck.write(a="one")
    await deck.run()
    deck.write(a="two")
    report = await deck.sync_of(device=Device("of the new machine", None)).run(SyncIntent.LAUNCH)
    assert (report.slots[0].reason, report.slots[0].version) == ("head", 2)


async def test_shrinking_asks_for_the_number(cloud, deck):
    deck.write(a="1", b="2", c="3", d="4")
    await deck.run()
    for name in "abc":
        (deck.saves / f"{name}.sav").unlink()
    report = await deck.run()
    assert report.exit_code == SyncExit.DECISION_NEEDED
    assert report.slots[0].question.option == "--confirm-removals 3"
    assert len(cloud.head_files()) == 4
    assert (await deck.run(confirm_removals=2)).slots[0].question
    assert (await deck.run(confirm_removals=3)).slots[0].version == 2


async def test_an_older_content_on_the_head_is_a_question(cloud, deck):
    for text in ("one", "two"):
        deck.write(a=text)
        await deck.run()
    deck.write(a="one")
    report = await deck.run()
    assert report.slots[0].question.code == "SAVEGAME_REGRESSES"
    assert (await deck.run(accepts_older=True)).slots[0].version == 3


async def test_a_missing_root_uploads_and_deletes_nothing(cloud, service, deck):
    deck.write(a="one")
    await deck.run()
    deck.saves.rename(deck.home / "unmounted")
    service.requests.clear()
    with pytest.raises(RootUnreadable, match="saves"):
        await deck.run()
    assert not [one for one in service.requests if "uploads" in one]
    (deck.home / "unmounted").rename(deck.saves)
    assert (await deck.run()).slots[0].reason == "identical"


async def test_one_empty_root_of_two_is_refused(cloud, deck):
    cloud.policy = {
        **cloud.policy,
        "roots": {
            **cloud.policy["roots"],
            "config": {"where": [{"path": "<home>/game/config"}], "include": ["**"]},
        },
    }
    deck.write(a="one", b="two")
    (deck.home / "game" / "config").mkdir()
    (deck.home / "game" / "config" / "x.cfg").write_text("x")
    await deck.run()
    (deck.home / "game" / "config" / "x.cfg").unlink()
    report = await deck.run()
    assert report.exit_code == SyncExit.DECISION_NEEDED
    assert f"{deck.home / 'game' / 'config'} held files of this save (1)" in report.slots[0].question.text
    assert "config/x.cfg" in cloud.head_files()
    assert (await deck.run(confirm_removals=1)).slots[0].version == 2


async def test_a_policy_that_changed_is_followed(cloud, deck):
    deck.write(a="one")
    deck.put("b.cfg", "settings")
    await deck.run()
    root = {"where": [{"path": "<home>/game/saves"}], "include": ["**"]}
    cloud.policy = {**cloud.policy, "revision": 2, "roots": {"saves": root}}
    report = await deck.run()
    assert report.slots[0].version == 2
    assert set(cloud.head_files()) == {"saves/a.sav", "saves/b.cfg"}


async def test_a_root_of_this_machine_alone_stays_here(cloud, deck):
    root = {"where": [{"path": "<home>/game/saves"}], "scope": "machine"}
    other = {"where": [{"path": "<home>/game/other"}]}
    cloud.policy = {**cloud.policy, "roots": {"local": root, "saves": other}, "units": []}
    deck.write(a="one")
    (deck.home / "game" / "other").mkdir()
    (deck.home / "game" / "other" / "b.sav").write_text("two")
    await deck.run()
    assert set(cloud.head_files()) == {"saves/b.sav"}


async def test_files_of_one_system_are_a_slot_of_their_own(cloud, deck, desktop):
    root = {"where": [{"path": "<home>/game/engine"}], "scope": "os"}
    cloud.policy = {**cloud.policy, "roots": {**cloud.policy["roots"], "engine": root}}
    for one in (deck, desktop):
        (one.home / "game" / "engine").mkdir()
    windows = replace(desktop.setup.machine, prefix=desktop.home / "prefix")
    (deck.home / "game" / "engine" / "shaders").write_text("of linux")
    deck.write(a="one")
    report = await deck.sync_of().run(SyncIntent.LAUNCH)
    assert [(one.slot, one.version) for one in report.slots] == [("main", 1), ("main (linux)", 1)]
    folders = {"saves": desktop.saves, "engine": desktop.home / "game" / "engine"}
    report = await desktop.sync_of(machine=windows, folders=folders).run(SyncIntent.LAUNCH)
    assert [(one.slot, one.action) for one in report.slots] == [("main", "download"), ("main (windows)", "none")]
    assert desktop.files == {"a.sav": "one"}
    report = await desktop.sync_of().run(SyncIntent.LAUNCH)
    assert (desktop.home / "game" / "engine" / "shaders").read_text() == "of linux"
    assert [one.version for one in await deck.sync_of(slot_name="main (linux)").history()] == [1]


async def test_files_of_roots_without_a_folder_stay_in_the_save(cloud, deck, desktop):
    where = [{"path": "<home>/game/windows", "when": [{"os": "windows"}]}]
    roots = {**cloud.policy["roots"], "registry": {"where": where}}
    cloud.policy = {**cloud.policy, "roots": roots}
    files = {"saves/a.sav": b"one", "registry/r.dat": b"of windows"}
    slot = cloud.service.add_version("main", files)
    cloud.history(slot).head = 1
    await deck.run()
    assert deck.files == {"a.sav": "one"}
    deck.write(a="two")
    assert (await deck.run()).slots[0].version == 2
    assert cloud.head_files() == {"saves/a.sav": b"two", "registry/r.dat": b"of windows"}


@pytest.fixture
async def arriving(cloud, deck):
    """A device whose game got a second folder after the save had files for it."""
    where = [{"path": "<home>/game/mods/*"}]
    cloud.policy = {**cloud.policy, "roots": {**cloud.policy["roots"], "mods": {"where": where}}}
    cloud.history(cloud.service.add_version("main", {"saves/a.sav": b"one", "mods/m.dat": b"mod"})).head = 1
    await deck.run()
    (deck.home / "game" / "mods" / "76561").mkdir(parents=True)
    return deck.home / "game" / "mods" / "76561"


async def test_a_root_that_gets_a_folder_is_filled(cloud, deck, arriving):
    await deck.run()
    assert (arriving / "m.dat").read_bytes() == b"mod"
    deck.write(a="two")
    await deck.run()
    assert cloud.head_files() == {"saves/a.sav": b"two", "mods/m.dat": b"mod"}


async def test_a_root_that_gets_a_folder_with_other_files_is_named(cloud, deck, arriving):
    (arriving / "m.dat").write_bytes(b"of the game that was just installed")
    with pytest.raises(PathInTheWay, match=r"m\.dat is another file"):
        await deck.run()
    assert (arriving / "m.dat").read_bytes() == b"of the game that was just installed"
    assert cloud.head_files()["mods/m.dat"] == b"mod"


async def test_another_folder_than_before_is_a_save_from_nothing(cloud, player, deck):
    deck.write(a="one")
    await deck.run()
    moved = deck.home / "elsewhere"
    moved.mkdir()
    (moved / "a.sav").write_text("defaults")
    report = await deck.sync_of(folders={"saves": moved}).run(SyncIntent.LAUNCH)
    assert report.slots[0].conflict
    assert cloud.head_files() == {"saves/a.sav": b"one"}


async def test_a_game_that_writes_for_ever_is_deferred(cloud, deck, monkeypatch):
    deck.write(a="one")
    written = []

    async def writing(seconds):
        written.append(seconds)
        deck.write(a="x" * len(written))

    deck.made = (*deck.made[:2], writing)
    report = await deck.run(is_immediate=False)
    assert report.exit_code == SyncExit.DEFERRED
    assert "still change" in report.deferred
    assert not cloud.plans


async def test_two_processes_at_once_are_one(cloud, deck):
    with locked(deck.home / "state" / "lock"):
        report = await deck.run()
    assert report.exit_code == SyncExit.DEFERRED
    assert "another process" in report.deferred


async def test_an_older_version_is_restored(cloud, deck):
    for text in ("one", "two"):
        deck.write(a=text)
        await deck.run()
    deck.write(a="three, not sent yet")
    report = await deck.sync_of().restore(1)
    assert report.slots[0].reason == "restored"
    assert deck.files == {"a.sav": "one"}
    assert b"three, not sent yet" in cloud.service.contents.values()
    assert [one.version for one in await deck.sync_of().history()] == [4, 3, 2, 1]


async def test_status_changes_nothing(cloud, service, deck, desktop):
    await diverged(deck, desktop)
    before = dict(service.slots["main"].versions)
    report = await desktop.sync_of().status()
    assert report.slots[0].action is SyncAction.CONFLICT
    assert service.slots["main"].versions == before
    assert desktop.files == {"w1/a.sav": "one", "w2/b.sav": "desktop"}


class Killed(BaseException):
    """In the place of a process that ends."""


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_a_run_recovers_what_was_interrupted(cloud, deck, desktop, step):
    await both_have(deck, desktop, a="1", b="2", c="3")
    deck.write(a="1+", b="2+", c="3+")
    await deck.run()

    def kill(done):
        if done == step:
            raise Killed

    desktop.shown.on_step = kill
    with pytest.raises(Killed):
        await desktop.run()
    desktop.shown.on_step = None
    assert "interrupted" in (await desktop.sync_of().status()).deferred
    cloud.plans.clear()
    report = await desktop.run()
    assert desktop.files == {"a.sav": "1+", "b.sav": "2+", "c.sav": "3+"}
    assert report.slots[0].reason == "identical"
    assert cloud.history(cloud.service.slots["main"]).devices["desktop"] == 2


async def test_a_file_over_the_limit_is_left_out(cloud, deck):
    cloud.policy = {**cloud.policy, "limits": {"max_file_bytes": 5, "oversize": "skip"}}
    deck.write(a="one", large="more than five")
    await deck.run()
    assert set(cloud.head_files()) == {"saves/a.sav"}
    assert (await deck.run()).slots[0].reason == "identical"


async def test_a_file_over_the_limit_of_the_service_stays_here(cloud, service, deck, desktop):
    """The policy does not say how large a file may be. What the cloud never had is never deleted."""
    cloud.policy = {**cloud.policy, "limits": {"oversize": "skip"}}
    begin = service.begin

    def skipping(said):
        large = [file for file in said["files"] if file["size_bytes"] > 8]
        upload = begin({**said, "files": [file for file in said["files"] if file not in large]})
        upload.skipped = [{"path": one["path"], "size_bytes": one["size_bytes"], "max_bytes": 8} for one in large]
        return upload

    ticket = service.ticket

    def with_skipped(upload):
        answer = ticket(upload)
        answer["data"]["attributes"]["skipped"] = getattr(upload, "skipped", [])
        return answer

    service.begin, service.ticket = skipping, with_skipped
    deck.write(a="one", large="more than eight")
    first = await deck.run()
    assert (first.slots[0].version, [one.path for one in first.skipped]) == (1, ["saves/large.sav"])
    await desktop.run()
    assert desktop.files == {"a.sav": "one"}
    desktop.write(a="two")
    await desktop.run()
    assert (await deck.run()).slots[0].action is SyncAction.DOWNLOAD
    assert deck.files == {"a.sav": "two", "large.sav": "more than eight"}
    service.requests.clear()
    assert (await deck.run()).slots[0].reason == "identical"
    assert not [one for one in service.requests if "uploads" in one]


async def test_two_devices_in_turn_have_no_conflict(cloud, deck, desktop):
    await both_have(deck, desktop, a="0")
    for turn in range(10):
        one, other = (deck, desktop) if turn % 2 else (desktop, deck)
        one.write(a=f"{turn}")
        first, second = await one.run(), await other.run()
        assert (first.exit_code, second.exit_code) == (SyncExit.IN_SYNC, SyncExit.IN_SYNC)
        assert other.files == {"a.sav": f"{turn}"}
    assert not cloud.conflicts


async def test_two_processes_of_one_device_in_turn_have_no_conflict(cloud, deck):
    for turn in range(5):
        deck.write(a=f"{turn}")
        report = await deck.run()  # a client of its own each time
        assert report.slots[0].version == turn + 1
    assert not cloud.conflicts


async def test_a_narrower_policy_is_no_change_of_the_player(cloud, deck, desktop):
    deck.write(a="one")
    deck.put("b.cfg", "settings")
    root = {"where": [{"path": "<home>/game/saves"}], "include": ["**"]}
    cloud.policy = {**cloud.policy, "roots": {"saves": root}}
    await deck.run()
    await desktop.run()
    cloud.policy = {**cloud.policy, "revision": 2, "roots": {"saves": {**root, "include": ["**/*.sav"]}}}
    deck.write(a="two")
    assert (await deck.run()).slots[0].version == 2
    assert (await desktop.run()).slots[0].action is SyncAction.DOWNLOAD
    assert desktop.files == {"a.sav": "two", "b.cfg": "settings"}
    assert (await desktop.run()).slots[0].reason == "identical"
