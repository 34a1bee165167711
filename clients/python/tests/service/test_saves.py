"""Saves: whole uploads and downloads, of the real service and a real store."""

import asyncio
import logging
import os
from hashlib import sha256
from io import BytesIO
from uuid import uuid4

import pytest
from gameshelf.client import ContentChanged, ForeignAnswer, LibraryRefusal
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

POLICY = {
    "revision": 1,
    "mode": "sync",
    "merge": "never",
    "roots": {"saves": {"where": [{"path": "<home>/.game"}], "include": ["**"]}},
    "units": [{"name": "{world}", "match": ["saves/{world}/**"]}],
}
FILES = {"a.dat": b"a", "мир/b.dat": b"b", "copy.dat": b"a", "empty.dat": b""}


@pytest.fixture
def slot(owned, player):
    """A new save of a game that the player owns."""
    return {"product_id": str(player.product), "save_slot_name": f"world {uuid4().hex[:8]}"}


def sent(store):
    return [call for call in store.calls if call.startswith("PUT ")]


def contents(save):
    return {file.path: file.content for file in save.files}


async def versions(client, savegame_id):
    return sorted([one["attributes"]["version"] async for one in client.saves.list_versions(savegame_id)])


async def test_a_single_file(device, slot):
    shown = []
    saved = await device("pc").saves.upload(slot, b"one", on_progress=lambda *numbers: shown.append(numbers))
    assert (saved.result, shown) == ("head", [(0, 3), (3, 3)])
    loaded = await device("deck").saves.download(saved.save["id"])
    assert (loaded.version, loaded.single_file) == (1, b"one")
    assert (await device("pc").saves.upload(slot, b"one")).result == "identical"


async def test_a_log_has_no_signature(device, slot, caplog):
    """Who has a signed address may read or write its content until it expires."""
    caplog.set_level(logging.INFO, logger="httpx")
    saved = await device("pc").saves.upload(slot, b"one")
    await device("deck").saves.download(saved.save["id"])
    lines = [line for line in caplog.messages if "?signed " in line]  # of the client, and of the proxy of this test
    assert {line.split()[2] for line in lines} == {"PUT", "GET"}
    assert "signature" not in caplog.text.lower()


async def test_a_set_of_which_only_changes_are_sent(device, slot, store):
    pc = device("pc")
    saved = await pc.saves.upload_set(slot, FILES)
    assert (saved.result, len(sent(store))) == ("head", 3)
    again = await pc.saves.upload_set(slot, {**FILES, "a.dat": b"A"})
    assert (again.result, len(sent(store))) == ("head", 4)
    loaded = await device("deck").saves.download(saved.save["id"])
    assert (loaded.version, contents(loaded)) == (2, {**FILES, "a.dat": b"A"})
    assert contents(await device("deck").saves.download(saved.save["id"], version=1)) == FILES
    with pytest.raises(ForeignAnswer, match="a set of files"):
        _ = loaded.single_file


async def test_files_go_from_a_folder_into_another(device, slot, tmp_path):
    large = os.urandom(20 * 1024**2)
    (tmp_path / "large").write_bytes(large)
    files = {"large": tmp_path / "large", "opened": lambda: BytesIO(b"of the game")}
    shown = []
    saved = await device("pc").saves.upload_set(slot, files, on_progress=lambda *numbers: shown.append(numbers))
    assert shown[-1] == (len(large) + 11,) * 2
    assert len(shown) > 20, "it moves while a part is being sent"
    folder = tmp_path / "arrived"
    loaded = await device("deck").saves.download(saved.save["id"], folder=folder)
    assert {file.path: file.place.read_bytes() for file in loaded.files} == {"large": large, "opened": b"of the game"}
    assert {file.place.name for file in loaded.files} == {sha256(large).hexdigest(), sha256(b"of the game").hexdigest()}


async def test_a_download_into_a_folder_continues(device, slot, store, tmp_path):
    large = os.urandom(2 * 1024**2)
    saved = await device("pc").saves.upload_set(slot, {"large": large, "small": b"s"})
    name = sha256(large).hexdigest()
    (tmp_path / f"{name}.part").write_bytes(large[:1_500_000])
    (tmp_path / sha256(b"s").hexdigest()).write_bytes(b"")  # the power has failed
    del store.seen[:]
    shown = []
    loaded = await device("deck").saves.download(
        saved.save["id"], folder=tmp_path, on_progress=lambda *numbers: shown.append(numbers)
    )
    assert {file.path: file.place.read_bytes() for file in loaded.files} == {"large": large, "small": b"s"}
    assert "bytes=1500000-" in [headers.get("range") for _, _, headers in store.seen]
    del store.seen[:]
    await device("deck").saves.download(saved.save["id"], folder=tmp_path)
    assert store.seen == []


async def test_what_a_device_has_is_not_fetched(device, slot, store):
    saved = await device("pc").saves.upload_set(slot, {"a.dat": b"a", "b.dat": b"b"})
    del store.seen[:]
    loaded = await device("deck").saves.download(saved.save["id"], have=[sha256(b"a").hexdigest()])
    assert len(store.seen) == 1
    assert contents(loaded) == {"a.dat": None, "b.dat": b"b"}


async def test_a_conflict_is_a_value_and_is_merged(device, slot, player):
    await player.follow(POLICY)
    pc, deck = device("pc"), device("deck")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await pc.saves.get_policy(player.product)).data["attributes"]["revision"] != POLICY["revision"]:
            await asyncio.sleep(0.05)
    one, other = "saves/one/a.dat", "saves/other/b.dat"
    first = await pc.saves.upload_set(slot, {one: b"a", other: b"b"})
    await deck.saves.report_synced(first.save["id"], {"version": 1, "device_id": "deck"})
    await pc.saves.upload_set(slot, {one: b"a of the pc", other: b"b"})
    branch = await deck.saves.upload_set(slot, {one: b"a", other: b"b of the deck"})
    assert (branch.result, branch.save) == ("conflict", None)
    [conflict] = await deck.saves.list_conflicts(product_id=player.product).all()
    assert conflict["id"] == branch.meta["conflict_id"]
    about = {**slot, "base_version": branch.own_version}
    again = await deck.saves.upload_set(about, {one: b"a", other: b"b of the deck, later"})
    assert (again.result, again.meta["conflict_id"]) == ("conflict", conflict["id"]), "it extends its own side"
    assert again.own_version == branch.own_version + 1
    merged = await deck.saves.resolve_conflict(conflict["id"], {"resolution": "merge"})
    loaded = await pc.saves.download(merged.data["id"])
    assert contents(loaded) == {one: b"a of the pc", other: b"b of the deck, later"}
    assert await versions(pc, first.save["id"]) == [1, 2, 3, 4, 5]


async def test_a_file_that_changes_meanwhile_becomes_no_version(device, slot, tmp_path, proxy):
    file = tmp_path / "save.dat"
    file.write_bytes(b"old")
    pc = device("pc")

    def write(_done, _total):
        file.write_bytes(b"new")

    with pytest.raises(ContentChanged, match=r"save\.dat has changed"):
        await pc.saves.upload(slot, file, on_progress=write)
    assert await pc.saves.list_saves(product_id=slot["product_id"]).all() == []
    assert (await pc.saves.upload(slot, file)).result == "head"
    with pytest.raises(ContentChanged):
        await pc.saves.upload(slot, tmp_path / "removed.dat")


async def test_what_the_service_refuses_is_the_callers(device, slot):
    with pytest.raises(LibraryRefusal) as found:
        await device("pc").saves.upload_set(slot, {"../a": b"a"})
    assert found.value.pointer.startswith("/data/attributes/files")
    with pytest.raises(LibraryRefusal) as found:
        await device("pc").saves.download(uuid4())
    assert found.value.code == "SAVEGAME_SLOT_NOT_FOUND"


async def test_an_upload_that_is_cancelled_can_be_made_again(device, slot, store):
    files = {f"{number}.dat": bytes([number]) for number in range(3)}
    pc = device("pc")

    def stop(done, _total):
        if done == 2:
            task.cancel()

    task = asyncio.create_task(pc.saves.upload_set(slot, files, parallel=1, on_progress=stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    del store.seen[:]
    assert (await pc.saves.upload_set(slot, files)).result == "head"
    assert len(sent(store)) in (1, 2), "the second one may have arrived, and its answer not"
