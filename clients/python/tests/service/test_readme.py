"""What the README shows works."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

README = Path(__file__).parents[2] / "README.md"


async def test_the_example_of_the_readme(service, owned, player, capsys):
    code = re.search(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    names = {}
    exec(code, names)
    await names["unlock_everywhere"](player.token, "FIRST_STEP", service.api)
    assert capsys.readouterr().out == "ACHIEVEMENT_NOT_FOUND\n"


@pytest.mark.long
async def test_the_game_of_the_readme(service, client, owned, player, tmp_path, unused_port):
    """Twice without a network, and then with it: everything that was played and unlocked is there, once."""
    await player.name("FIRST_STEP")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await client.achievements.list_achievements(player.product)).data:
            await asyncio.sleep(0.05)
    blocks = re.findall(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    [game] = [block for block in blocks if block.startswith('"""A game: ')]
    assert len(game.splitlines()) <= 40
    (tmp_path / "game.py").write_text(game, encoding="utf-8")
    away = f"http://127.0.0.1:{unused_port}/api/v1/library"
    shown = []
    for api in (away, away, service.api):
        command = [sys.executable, tmp_path / "game.py", api, player.token, str(player.product), tmp_path]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        shown.append((await process.communicate())[0].decode().splitlines())
        assert process.returncode == 0
    assert shown == [
        ["playing offline", "kept for later: 2"],
        ["playing offline", "kept for later: 4"],
        ["playing online", "sent: 5"],
    ]
    sessions = await client.playtime.list_sessions().all()
    assert sorted(one["attributes"]["end_reason"] for one in sessions) == ["completed", "imported", "imported"]
    [achievement] = (await client.achievements.list_achievements(player.product)).data
    assert achievement["attributes"]["is_unlocked"]
