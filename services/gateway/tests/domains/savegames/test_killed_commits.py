"""A process that commits a set is killed between any two steps, and the commit is repeated: over PostgreSQL and S3."""

import os
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.savegames import incoming_prefix

CHILD = Path(__file__).parent / "killed_commit.py"
KILLED = 9
PART = 8 * 1024**2
FILES = {"s/large": bytes(PART) + b"end", **{f"s/{number}": b"%d" % number for number in range(20)}}
CRASH_STEPS = ("pending-written", "copied", "digested", "noted", "before-finish", "after-finish")


def kill_at(service, step, user_id, upload_id):
    """Runs the commit in a process of its own, which ends at the step."""
    command = [sys.executable, str(CHILD), step, str(user_id), str(upload_id)]
    ran = subprocess.run(
        command, env=os.environ | service.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ran.returncode == KILLED, ran.stderr


async def check(set_client, versions):
    """One version and one event each, no object without a row, and the quota is what the contents take."""
    player, jobs = set_client.player, set_client.jobs
    await set_client.lists.run_once()
    rows = await jobs.pool.fetch("SELECT version FROM savegames.savegame_metadata WHERE user_id = $1", player.id)
    assert sorted(row["version"] for row in rows) == versions
    events = (await player.get("/events", cursor=0, limit=100))["data"]
    said = [one["attributes"]["payload"] for one in events if one["attributes"]["event_type"] == "savegame.sync.status"]
    assert [one["version"] for one in said if one["status"] == "sync_completed"] == versions
    await jobs.run(timedelta(hours=26))
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    assert [key for key in await jobs.all_keys() if key.startswith("incoming/")] == []
    live = "SELECT coalesce(sum(file_size_bytes), 0)::bigint FROM savegames.savegame_contents WHERE user_id = $1"
    used = await jobs.pool.fetchval(f"{live} AND state = 'live' AND kind = 'file'", player.id)
    assert await player.saved_bytes() == (used, 0)
    assert used == sum({sha256(data).digest(): len(data) for data in FILES.values()}.values())


@pytest.mark.long
@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step == "noted" else pytest.mark.long) for step in CRASH_STEPS]
)
async def test_a_killed_commit_is_repeated(service, set_client, step):
    reservation = await set_client.request(FILES)
    await set_client.send(await set_client.sign(reservation.upload_id, reservation), FILES)
    kill_at(service, step, set_client.player.id, reservation.upload_id)
    outcome = await set_client.commit(reservation.upload_id)
    assert (outcome.result, outcome.version, outcome.file_count) == ("head", 1, len(FILES))
    assert await set_client.commit(reservation.upload_id) == outcome
    await check(set_client, [1])


@pytest.mark.long
async def test_a_killed_writer_of_lists_is_repeated(service, set_client):
    outcome = await set_client.save(FILES)
    kill_at(service, "list-put", set_client.player.id, outcome.slot_id)
    await check(set_client, [1])


@pytest.mark.long
async def test_a_request_without_its_response_is_repeated(set_client):
    """The process was killed after the reservation, and after it had begun a multipart upload that it kept nowhere."""
    first = await set_client.request(FILES)
    [large] = [one for one in first.missing if one.part_sha256]
    lost = await set_client.jobs.objects.begin_parts(large.key)
    reservation = await set_client.request(FILES)
    assert reservation.upload_id == first.upload_id
    await set_client.send(await set_client.sign(first.upload_id, reservation), FILES)
    assert (await set_client.commit(first.upload_id)).result == "head"
    await set_client.jobs.run(timedelta(hours=26))
    begun = await set_client.jobs.objects.open_parts(incoming_prefix(first.upload_id))
    assert lost not in {one.multipart_id for one in begun}
    await check(set_client, [1])
