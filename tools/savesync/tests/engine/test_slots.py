"""A game with several slots, and slots that the cloud does not know any more."""

import pytest
from gameshelf.savesync.errors import RootUnreadable, ServiceRefusal, VersionAmbiguous
from gameshelf.savesync.report import SyncAction, SyncExit, SyncIntent


@pytest.fixture
def engine(cloud, deck):
    """The folder of the files that each system has for itself."""
    root = {"where": [{"path": "<home>/game/engine"}], "scope": "os"}
    cloud.policy = {**cloud.policy, "roots": {**cloud.policy["roots"], "engine": root}}
    folder = deck.home / "game" / "engine"
    folder.mkdir()
    return folder


@pytest.fixture
async def both(cloud, deck, engine):
    """Both slots in the cloud, with one version each."""
    deck.write(a="one")
    (engine / "shaders").write_text("of linux")
    report = await deck.run()
    assert [(one.slot, one.version) for one in report.slots] == [("main", 1), ("main (linux)", 1)]
    cloud.plans.clear()
    return engine


def refuse(cloud, service, slot_name, status, code):
    """Refuses the uploads of a slot."""
    original = service.route

    def route(method, parts, said, query):
        if parts == ["uploads"] and said["save_slot_name"] == slot_name:
            service.failures = [503] * 5 if status == 503 else []
            raise cloud.refusal(status, code)
        return original(method, parts, said, query)

    service.route = route
    return lambda: setattr(service, "route", original)


async def test_one_plan_is_asked_for_all_slots(cloud, deck, both):
    deck.write(a="two")
    (both / "shaders").write_text("of linux, again")
    report = await deck.run(SyncIntent.EXIT)
    assert [(one.slot, one.version) for one in report.slots] == [("main", 2), ("main (linux)", 2)]
    [plan] = cloud.plans
    assert [one["slot_name"] for one in plan["slots"]] == ["main", "main (linux)"]


async def test_no_plan_leaves_out_a_slot_that_could_not_be_uploaded(cloud, service, deck, both):
    deck.write(a="two")
    heal = refuse(cloud, service, "main", 503, "SERVICE_UNAVAILABLE")
    report = await deck.run(SyncIntent.EXIT)
    assert (report.exit_code, report.queued) == (SyncExit.DEFERRED, 1)
    [plan] = cloud.plans
    assert plan["slots"][0]["content_hash"] not in (None, plan["slots"][1]["content_hash"])
    heal()
    assert [(one.slot, one.version) for one in (await deck.run()).slots] == [("main", 2), ("main (linux)", 1)]


async def test_a_slot_that_cannot_be_sent_does_not_stop_the_other(cloud, service, deck, both):
    deck.write(a="two")
    (both / "shaders").write_text("of linux, again")
    refuse(cloud, service, "main", 503, "SERVICE_UNAVAILABLE")
    report = await deck.run()
    assert [(one.slot, one.version) for one in report.slots] == [("main (linux)", 2)]
    assert (report.exit_code, report.queued) == (SyncExit.DEFERRED, 1)


async def test_an_error_of_one_slot_does_not_stop_the_other(cloud, service, deck, both):
    deck.write(a="two")
    (both / "shaders").write_text("of linux, again")
    refuse(cloud, service, "main", 422, "USER_QUOTA_EXCEEDED")
    report = await deck.run()
    main, system = report.slots
    assert (main.action, "USER_QUOTA_EXCEEDED" in main.error) == (SyncAction.NONE, True)
    assert (system.action, system.version, report.exit_code) == (SyncAction.UPLOAD, 2, SyncExit.FAILED)


async def test_a_folder_that_cannot_be_scanned_does_not_stop_the_other(cloud, deck, both):
    deck.write(a="two")
    (both / "A").write_text("1")
    (both / "a").write_text("2")
    report = await deck.run()
    main, system = report.slots
    assert (main.version, "path_taken" in system.error, report.exit_code) == (2, True, SyncExit.FAILED)
    assert [one["slot_name"] for one in cloud.plans[0]["slots"]] == ["main"]
    assert set(cloud.head_files("main (linux)")) == {"engine/shaders"}


async def test_the_history_of_all_slots(deck, both):
    deck.write(a="two")
    await deck.run()
    found = [(one.slot_name, one.version) for one in await deck.sync_of().history()]
    assert found == [("main", 2), ("main", 1), ("main (linux)", 1)]


async def test_a_version_is_restored_in_the_slot_that_has_it(deck, both):
    (both / "shaders").write_text("of linux, again")
    await deck.run()
    (both / "shaders").write_text("of linux, once more")
    with pytest.raises(VersionAmbiguous, match=r"'main', 'main \(linux\)'"):
        await deck.sync_of().restore(1)
    report = await deck.sync_of().restore(2)
    assert [(one.slot, one.reason) for one in report.slots] == [("main", "identical"), ("main (linux)", "restored")]
    assert (both / "shaders").read_text() == "of linux, again"
    deck.write(a="two")
    report = await deck.sync_of().restore(1, slot_name="main")
    assert report.slots[0].reason == "restored"
    assert (deck.files, (both / "shaders").read_text()) == ({"a.sav": "one"}, "of linux, again")


@pytest.mark.parametrize("text", ["one", "two"])
async def test_a_save_that_was_removed_for_good_is_a_new_one(cloud, service, deck, both, text):
    earlier = service.slots.pop("main").id
    deck.write(a=text)
    report = await deck.run()
    assert [(one.action, one.version) for one in report.slots] == [(SyncAction.UPLOAD, 1), (SyncAction.NONE, 1)]
    assert service.slots["main"].id != earlier
    assert cloud.plans[-1]["slots"][1]["base_version"] == 1
    assert [one.reason for one in (await deck.run()).slots] == ["identical", "identical"]


async def test_a_service_that_was_restored_from_a_backup_loses_nothing(cloud, service, deck, desktop):
    """It has lost the versions 2 and 3; another device has made a 2 of its own since."""
    deck.write(a="one")
    await deck.run()
    await desktop.run()
    for text in ("two", "three"):
        deck.write(a=text)
        await deck.run()
    slot = service.slots["main"]
    history = cloud.history(slot)
    for lost in (2, 3):
        del slot.versions[lost]
    history.head, history.devices["deck"] = 1, 1
    desktop.write(a="of the desktop")
    await desktop.run()
    original = service.route

    def route(method, parts, said, query):
        if parts == ["plan"] and (said["slots"][0].get("base_version") or 0) > history.head:
            raise cloud.refusal(404, "SAVEGAME_VERSION_NOT_FOUND", pointer="/data/attributes/slots/0/base_version")
        return original(method, parts, said, query)

    service.route = route
    report = await deck.run()
    assert report.slots[0].conflict
    assert deck.files == {"a.sav": "three"}
    assert cloud.head_files() == {"saves/a.sav": b"of the desktop"}


@pytest.mark.parametrize(
    ("status", "text", "action", "left"),
    [
        ("pruned", "one", "download", "two"),
        ("pruned", "one, further", "conflict", "one, further"),
        ("history", "one", "conflict", "two"),  # the upload finds that it is behind
    ],
)
async def test_only_a_version_that_the_history_dropped_is_replaced(cloud, deck, desktop, status, text, action, left):
    """The service does not know the content any more. It may have another one under the number, too."""
    deck.write(a="one")
    await deck.run()
    await desktop.run()
    deck.write(a="two")
    await deck.run()
    desktop.write(a=text)
    versions, advice = cloud.version, cloud.advice

    def version(slot, number):
        shown = versions(slot, number)
        if number == 1:
            shown["attributes"]["status"] = status
        return shown

    cloud.version = version
    cloud.advice = lambda *asked: {**advice(*asked), "action": "conflict", "reason": "diverged"}
    assert (await desktop.sync_of().status()).slots[0].action == action
    report = await desktop.run()
    assert (desktop.files, report.slots[0].conflict is not None) == ({"a.sav": left}, left == text)


async def test_another_404_is_an_error(cloud, service, deck):
    original = service.route

    def route(method, parts, said, query):
        if parts == ["plan"]:
            raise cloud.refusal(404, "SAVEGAME_SLOT_NOT_FOUND")
        return original(method, parts, said, query)

    deck.write(a="one")
    service.route = route
    with pytest.raises(ServiceRefusal, match="SAVEGAME_SLOT_NOT_FOUND"):
        await deck.run()


async def test_a_save_of_a_newer_game_is_named(cloud, deck, both):
    cloud.newer = {"main (linux)": {"written_by_newer_version": "1.5"}}
    deck.write(a="two")
    report = await deck.sync_of(game_version="1.4").run(SyncIntent.LAUNCH)
    assert [one.written_by_newer_version for one in report.slots] == [None, "1.5"]
    assert cloud.plans[0]["game_version_id"] == "1.4"
    status = await deck.sync_of(game_version="1.4").status()
    assert [one.written_by_newer_version for one in status.slots] == [None, "1.5"]


async def test_status_shows_all_slots(cloud, deck, both):
    (both / "shaders").write_text("of linux, again")
    report = await deck.sync_of().status()
    assert [(one.slot, one.action) for one in report.slots] == [("main", "none"), ("main (linux)", "upload")]
    assert (len(cloud.plans), cloud.plans[0]["intent"]) == (1, "manual")


async def test_a_slot_that_always_changes_does_not_stop_the_other(cloud, deck, both, monkeypatch):
    (both / "shaders").write_text("of linux, again")
    deck.write(a="two")
    original = cloud.check

    def check(said):
        original(said)
        if said["save_slot_name"] == "main":
            deck.write(a=f"two, {len(cloud.plans)}")

    monkeypatch.setattr(cloud, "check", check)
    monkeypatch.setattr("gameshelf.savesync.snapshot.LARGE", 0)
    report = await deck.run()
    assert ([one.slot for one in report.slots], report.exit_code) == (["main (linux)"], SyncExit.DEFERRED)
    assert cloud.head_files("main (linux)") == {"engine/shaders": b"of linux, again"}


async def test_two_slots_with_folders_of_their_own_stay_apart(cloud, deck):
    """As a launcher has them for two profiles of a game."""
    other = deck.home / "second profile"
    other.mkdir()
    second = deck.sync_of(slot_name="second", folders={"saves": other})
    for turn in range(3):
        deck.write(a=f"{turn}")
        (other / "a.sav").write_text(f"second, {turn}")
        assert (await deck.run(SyncIntent.LAUNCH)).slots[0].version == turn + 1
        assert (await second.run(SyncIntent.LAUNCH)).slots[0].version == turn + 1
    assert not cloud.conflicts
    other.rename(deck.home / "unmounted")
    deck.write(a="3")
    assert (await deck.run(SyncIntent.LAUNCH)).slots[0].version == 4
    with pytest.raises(RootUnreadable):
        await second.run(SyncIntent.LAUNCH)


async def test_a_slot_of_its_own_may_be_named(deck, both):
    assert [one.version for one in await deck.sync_of(slot_name="main (linux)").history()] == [1]
