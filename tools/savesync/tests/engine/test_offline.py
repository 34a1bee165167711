"""Without the network: the game can be played, and what changed waits without being overwritten."""

import subprocess
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest
from gameshelf.savesync.apply_errors import DiskFailed, PathInTheWay
from gameshelf.savesync.errors import ServiceRefusal, StateUnusable
from gameshelf.savesync.report import SyncAction, SyncExit, SyncIntent


async def both_have(deck, desktop, text):
    deck.write(a=text)
    await deck.run()
    await desktop.run()


async def test_offline_work_waits_and_is_sent_later(cloud, service, deck, desktop):
    await both_have(deck, desktop, "one")
    deck.write(a="two")
    service.failures = [503] * 6
    report = await deck.run(SyncIntent.EXIT)
    assert (report.exit_code, report.queued) == (SyncExit.DEFERRED, 1)
    assert (report.retry_after, report.to_json()["retry_after_seconds"]) == (2.0, 2.0)
    assert report.queued_since
    later = await deck.run()
    assert (later.slots[0].action, later.queued) == (SyncAction.UPLOAD, 0)
    assert cloud.head_files() == {"saves/a.sav": b"two"}


async def test_a_report_that_was_lost_is_sent_before_the_next_upload(cloud, service, deck, desktop):
    await both_have(deck, desktop, "one")
    deck.write(a="two")
    await deck.run()
    original = service.route

    def route(method, parts, said, query):
        if parts[-1:] == ["synced"]:
            service.failures = [503] * 5
            raise cloud.refusal(503, "SERVICE_UNAVAILABLE")
        return original(method, parts, said, query)

    service.route = route
    assert (await desktop.run()).queued == 1
    service.route = original
    desktop.write(a="three")
    report = await desktop.run()
    assert (report.slots[0].version, report.queued) == (3, 0)


async def test_offline_with_nothing_to_send_only_says_so(cloud, service, deck):
    deck.write(a="one")
    await deck.run()
    service.failures = [503] * 6
    report = await deck.run(SyncIntent.LAUNCH)
    assert (report.exit_code, report.queued) == (SyncExit.DEFERRED, 0)
    assert report.deferred


async def test_a_launch_after_an_exit_offline_never_takes_the_clouds_version(cloud, service, deck, desktop):
    await both_have(deck, desktop, "one")
    deck.write(a="a week on the deck")
    service.failures = [503] * 6
    assert (await deck.run(SyncIntent.EXIT)).queued == 1
    desktop.write(a="an hour on the desktop")
    await desktop.run()
    report = await deck.run(SyncIntent.LAUNCH)
    assert (report.exit_code, report.slots[0].conflict is not None) == (SyncExit.DECISION_NEEDED, True)
    assert deck.files == {"a.sav": "a week on the deck"}
    assert b"a week on the deck" in cloud.service.contents.values()


async def test_a_full_disk_does_not_keep_a_save_from_the_cloud(cloud, deck, small_disk):
    deck.write(a="one" * 100_000)
    deck.setup = replace(deck.setup, state_folder=small_disk / "state")
    assert (await deck.run()).slots[0].version == 1
    deck.write(a="two" * 100_000)
    (small_disk / "others").write_bytes(b"x" * 850_000)
    assert (await deck.run()).slots[0].version == 2
    assert cloud.head_files() == {"saves/a.sav": b"two" * 100_000}
    assert not (small_disk / "state" / "staging" / "upload").exists()


async def test_a_disk_without_any_room_changes_nothing(cloud, deck, small_disk):
    deck.write(a="one")
    deck.setup = replace(deck.setup, state_folder=small_disk / "state")
    await deck.run()
    deck.write(a="two")
    with suppress(OSError), (small_disk / "others").open("wb", buffering=0) as others:
        while True:
            others.write(b"x" * 4096)
    with pytest.raises((StateUnusable, OSError), match=f"{small_disk}|No space left"):
        await deck.run()
    assert (deck.files, cloud.head_files()) == ({"a.sav": "two"}, {"saves/a.sav": b"one"})
    (small_disk / "others").unlink()
    assert (await deck.run()).slots[0].version == 2


async def test_a_state_that_was_lost_asks_before_it_overwrites(cloud, deck, desktop):
    await both_have(deck, desktop, "one")
    desktop.write(a="two")
    await desktop.run()
    deck.write(a="three")
    (deck.home / "state" / "state.db").unlink()
    report = await deck.run(SyncIntent.LAUNCH)
    assert report.slots[0].conflict
    assert deck.files == {"a.sav": "three"}
    assert cloud.head_files() == {"saves/a.sav": b"two"}


async def test_status_without_the_network_says_what_waits(cloud, service, deck):
    deck.write(a="one")
    service.failures = [503] * 40
    await deck.run(SyncIntent.EXIT)
    report = await deck.sync_of().status()
    assert (report.exit_code, report.queued, report.slots) == (SyncExit.DEFERRED, 0, ())
    assert report.deferred


async def test_a_disk_that_is_read_only_is_named_and_left_as_it_is(cloud, deck, desktop, small_disk):
    """A card with its lock set, Program Files (ludusavi#284, ludusavi#579): the next attempt is no worse."""
    await both_have(deck, desktop, "one")
    desktop.write(a="two", b="new")
    await desktop.run()
    saves = small_disk / "saves"
    deck.saves.rename(deck.home / "moved")
    saves.mkdir()
    (saves / "a.sav").write_text("one")
    there = deck.sync_of(folders={"saves": saves})
    await there.run(SyncIntent.LAUNCH)
    assert (saves / "b.sav").read_text() == "new"
    desktop.write(a="three")
    await desktop.run()
    before = {one: one.read_bytes() for one in saves.rglob("*") if one.is_file()}
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        for _ in range(2):
            with pytest.raises(DiskFailed, match="Read-only file system"):
                await there.run(SyncIntent.LAUNCH)
            assert {one: one.read_bytes() for one in saves.rglob("*") if one.is_file()} == before
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert (await there.run(SyncIntent.LAUNCH)).slots[0].action is SyncAction.DOWNLOAD
    assert (saves / "a.sav").read_text() == "three"


async def test_a_folder_that_has_the_place_of_a_file_is_kept(cloud, deck, desktop):
    """CmisSync#393."""
    await both_have(deck, desktop, "one")
    desktop.write(b="a file")
    await desktop.run()
    (deck.saves / "b.sav").mkdir()
    (deck.saves / "b.sav" / "notes.txt").write_text("of the player")
    with pytest.raises(PathInTheWay, match="has its place"):
        await deck.run(SyncIntent.LAUNCH)
    assert deck.files == {"a.sav": "one", "b.sav/notes.txt": "of the player"}
    (deck.saves / "b.sav" / "notes.txt").unlink()
    assert (await deck.run(SyncIntent.LAUNCH)).slots[0].action is SyncAction.DOWNLOAD
    assert deck.files == {"a.sav": "one", "b.sav": "a file"}


async def test_a_proxy_that_answers_404_loses_no_report(cloud, service, deck, desktop, api):
    """The service has to know that the device has the version: else its next upload is a conflict."""
    await both_have(deck, desktop, "one")
    deck.write(a="two")
    await deck.run()
    send = api._client._http.send

    async def behind_a_proxy(request, **options):
        is_report = request.url.path.endswith("/synced")
        return httpx.Response(404, html="<html>", request=request) if is_report else await send(request, **options)

    api._client._http.send = behind_a_proxy
    with pytest.raises(ServiceRefusal, match="HTTP_404"):
        await desktop.run()
    api._client._http.send = send
    desktop.write(a="three")
    assert (await desktop.run()).slots[0].version == 3
    assert not cloud.conflicts
