"""What the README and the documentation show works."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

HOME = Path(__file__).parents[2]
README, GAME = HOME / "README.md", HOME / "examples" / "game.py"
PAGE = HOME.parents[1] / "docs" / "clients.md"


def blocks():
    return re.findall(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)


async def test_the_example_of_the_readme(service, owned, player, capsys):
    names = {}
    exec(blocks()[0], names)
    await names["unlock_everywhere"](player.token, "FIRST_STEP", service.api)
    assert capsys.readouterr().out == "ACHIEVEMENT_NOT_FOUND\n"


def test_the_game_in_the_documentation_is_the_one_that_runs():
    assert len(GAME.read_text(encoding="utf-8").splitlines()) <= 40
    assert f"```python\n{GAME.read_text(encoding='utf-8')}```" in PAGE.read_text(encoding="utf-8")


@pytest.mark.long
async def test_the_game_of_the_documentation(service, client, owned, player, tmp_path, unused_port):
    """Twice without a network, with it, and on a new machine: everything that was played is there, once."""
    await player.name("FIRST_STEP")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await client.achievements.list_achievements(player.product)).data:
            await asyncio.sleep(0.05)
    away = f"http://127.0.0.1:{unused_port}/api/v1/library"
    (tmp_path / "new").mkdir()
    shown = []
    for api, folder in ((away, ""), (away, ""), (service.api, ""), (service.api, "new")):
        command = [sys.executable, GAME, api, player.token, str(player.product), tmp_path / folder]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        shown.append((await process.communicate())[0].decode().splitlines())
        assert process.returncode == 0
    assert shown == [
        ["offline", "score: 10"],
        ["offline", "score: 20"],
        ["sent: 5", "saved: head", "score: 30"],
        ["sent: 1", "saved: head", "score: 40"],
    ]
    sessions = await client.playtime.list_sessions().all()
    reasons = sorted(one["attributes"]["end_reason"] for one in sessions)
    assert reasons == ["completed", "completed", "imported", "imported"]
    [achievement] = (await client.achievements.list_achievements(player.product)).data
    assert achievement["attributes"]["is_unlocked"]
    [save] = await client.saves.list_saves(product_id=player.product).all()
    assert save["attributes"]["version"] == 2


async def run_game(service, player, folder):
    """Returns how it ended, and what it has printed."""
    command = [sys.executable, GAME, service.api, player.token, str(player.product), folder]
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes)
    shown, complaint = await process.communicate()
    return process.returncode, (shown or complaint).decode().splitlines()


@pytest.mark.long
async def test_the_game_reports_what_is_on_its_disk(service, client, owned, player, tmp_path):
    """A folder that cannot be written: this device has never had the save, and so must not replace it later."""
    product, kept = str(player.product), '{"score": 5, "version": 0, "pending": null}'
    for name, content in (("main", b'{"score": 70}'), ("another", b"no JSON")):
        await client.saves.upload({"product_id": product, "save_slot_name": name, "device_id": "pc"}, content)
    (tmp_path / "save.json").write_text(kept)
    (tmp_path / "save.new").mkdir()
    ended, complaint = await run_game(service, player, tmp_path)
    assert (ended, complaint[-1].partition(":")[0]) in ((1, "IsADirectoryError"), (1, "PermissionError"))
    assert (tmp_path / "save.json").read_text() == kept
    about = {"product_id": product, "save_slot_name": "main", "device_id": "deck-7"}
    assert (await client.saves.upload(about, b'{"score": 1}')).result == "conflict"


@pytest.mark.long
async def test_the_game_leaves_a_conflict_that_was_decided_elsewhere(service, client, owned, player, tmp_path):
    about = {"product_id": str(player.product), "save_slot_name": "main", "device_id": "pc"}
    await client.saves.upload(about, b'{"score": 500}')
    (tmp_path / "save.json").write_text('{"score": 10, "version": 0, "pending": "upload"}')  # played without a network
    for score in (20, 30):  # nobody has decided: it continues with its own
        assert await run_game(service, player, tmp_path) == (0, ["sent: 0", "saved: conflict", f"score: {score}"])
    [conflict] = await client.saves.list_conflicts().all()
    await client.saves.resolve_conflict(conflict["id"], {"resolution": "keep_cloud"})
    assert await run_game(service, player, tmp_path) == (0, ["sent: 0", "saved: head", "score: 510"])
    assert await client.saves.list_conflicts().all() == []


async def test_the_saves_of_the_readme(client, owned, player, tmp_path, capsys):
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "one.dat").write_bytes(b"one")
    [code] = [one for one in blocks() if one.startswith("async def save_and_load")]
    names = {}
    exec(code, names)
    loaded = await names["save_and_load"](client, str(player.product), tmp_path)
    assert [(file.path, file.content) for file in loaded.files] == [("worlds/one.dat", b"one")]
    assert capsys.readouterr().out == "0 3\n3 3\n"
