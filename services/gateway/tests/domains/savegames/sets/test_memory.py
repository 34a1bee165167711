"""The memory that the service needs for commits does not grow with the bytes of the sets."""

import asyncio
import os
from pathlib import Path

import pytest

USERS = 16
MIB = 1024**2
FILE = 5 * MIB
FILES = 4
"""In a set of 20 MB."""
MOST_GROWTH = 32 * MIB
"""A tenth of all sets, and less than the files that are verified at once."""


def memory(process, what):
    """Bytes of resident memory: ``VmRSS`` now, ``VmHWM`` at most since it was reset."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith(what)]
    return int(line.split()[1]) * 1024


def new_files():
    return {f"saves/{number}": os.urandom(FILE) for number in range(FILES)}


@pytest.mark.long
async def test_many_commits_at_once_need_bounded_memory(service, new_player, new_set_device, wait_until):
    players = [new_player() for _ in range(USERS)]
    devices = [new_set_device(of=player) for player in players]
    for device in devices:
        await device.player.buys(device.device.product)
        await wait_until(device.player.products)

    async def upload(device, slot):
        files = new_files()
        upload_id, attributes = await device.begin(files, slot)
        await device.send_all(upload_id, attributes, files)
        return upload_id

    # What the first commits load and open stays, and is not what is measured.
    for device in devices[:2]:
        assert (await device.commit(await upload(device, "first"))).status_code == 200
    uploads = [await upload(device, "world") for device in devices]
    before = memory(service.process, "VmRSS")
    Path(f"/proc/{service.process.pid}/clear_refs").write_text(
        "5", encoding="utf-8"
    )  # from here the highest value counts
    answers = await asyncio.gather(*(one.commit(upload_id) for one, upload_id in zip(devices, uploads, strict=True)))
    assert [answer.status_code for answer in answers] == [200] * USERS
    assert memory(service.process, "VmHWM") - before < MOST_GROWTH
