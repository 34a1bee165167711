"""Scenarios 10 to 13 of the design as the client has them: uploads that are cut, cancelled, killed, and lose bytes."""

import asyncio
import os
import random
import signal
from hashlib import sha256
from itertools import count

import asyncpg
import pytest
from botocore.session import get_session
from gameshelf.client.saves import store as stores
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.store import SaveStore

MIB = 1024**2
PART = 8 * MIB


@pytest.fixture
def bucket(platform, s3):
    """The keys of the store, by a client of its own."""
    client = get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )
    yield Bucket(client, platform.store["S3_BUCKET_SAVEGAMES"])
    client.close()


class Bucket:
    def __init__(self, client, name):
        self.client, self.name = client, name

    def keys(self, part):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [one["Key"] for page in pages for one in page.get("Contents", ()) if part in one["Key"]]

    def delete(self, part):
        keys = self.keys(part)
        for key in keys:
            self.client.delete_object(Bucket=self.name, Key=key)
        return keys


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def dies_after(kind, name, calls=1):
    """For ``before``: the process is killed when so many calls of a method have ended, and no other has begun."""

    def patch():
        method, left = getattr(kind, name), count(calls - 1, -1)

        async def killing(*arguments, **options):
            answer = await method(*arguments, **options)
            if next(left) <= 0:
                kill()
            return answer

        setattr(kind, name, killing)

    return patch


def one_after_another():
    """For ``before``: parts are sent one after another, so a number of them is exact."""
    from gameshelf.savesync import upload

    upload.Uploader.__init__.__kwdefaults__["parallel"] = 1


def test_scenario_10_only_the_rest_of_a_large_file_is_sent(game, deck, desktop):
    """40 MB in five parts; the client is killed after three of them."""
    large = random.Random(10).randbytes(5 * PART - 1000)
    deck.put("worlds/w/level.bin", large)

    def three_parts():
        one_after_another()
        dies_after(SaveStore, "send", 3)()

    assert deck.killed("sync", "--now", before=three_parts)
    [upload] = game.get("savegames/uploads")
    [missing] = game.get(f"savegames/uploads/{upload['id']}")["attributes"]["uploads"]
    assert [part["number"] for part in missing["parts"]] == [4, 5]
    assert deck.report("sync", "--now")["slots"][0]["uploaded_bytes"] == len(large) - 3 * PART
    desktop.run("sync", "--now")
    assert desktop.files == {"worlds/w/level.bin": large}


@pytest.mark.parametrize("size", [2 * PART, 1000])
def test_scenario_10_bytes_damaged_on_the_way_are_refused(game, deck, desktop, monkeypatch, size):
    content = random.Random(size).randbytes(size)
    deck.put("worlds/w/level.bin", content)
    blocks, damaged = stores.blocks_of, []

    async def with_noise(path, offset, length, sent):
        async for block in blocks(path, offset, length, sent):
            if not damaged:
                damaged.append(offset)
                block = bytes([block[0] ^ 1]) + block[1:]
            yield block

    monkeypatch.setattr(stores, "blocks_of", with_noise)
    assert deck.report("sync", "--now")["slots"][0]["version"] == 1
    assert damaged
    desktop.run("sync", "--now")
    assert desktop.files == {"worlds/w/level.bin": content}


def test_a_copy_that_a_power_cut_has_damaged_is_made_again(deck, desktop):
    """Its size is right, and its bytes are not: the store refuses it, and the next copy is of the file."""
    files = {f"worlds/w/{one}.dat": b"%d" % one * 2000 for one in range(3)}
    for path, content in files.items():
        deck.put(path, content)
    assert deck.killed("sync", "--now", before=dies_after(SaveApi, "begin"))
    copies = [one for one in (deck.home / ".local" / "state").rglob("upload/*") if one.is_file()]
    assert len(copies) == 3
    for copy in copies:
        copy.write_bytes(bytes(copy.stat().st_size))
    assert deck.report("sync", "--now")["slots"][0]["version"] == 1
    desktop.run("sync", "--now")
    assert desktop.files == files


def test_scenario_11_two_uploads_of_one_content_count_once(game, deck, desktop):
    content = random.Random(11).randbytes(50_000)

    def room():
        quota = game.get("savegames/quota")["attributes"]
        return quota["used_bytes"] + quota["reserved_bytes"]

    for one, slot in ((deck, "deck"), (desktop, "desktop")):
        one.put("a.sav", content)
        assert one.killed("sync", "--now", "--slot", slot, before=dies_after(SaveStore, "send"))
        assert room() == len(content)
    deck.put("a.sav", "another")  # the client gives up the upload that nobody wants any more
    shown = deck.run("sync", "--now", "--slot", "deck", code=4)
    assert "deck: uploaded" in shown
    assert "uploads just now" in shown
    assert room() == len(content) + len("another")
    [left] = game.get("savegames/uploads")
    assert left["attributes"]["slot_name"] == "desktop"
    report = desktop.report("sync", "--now", "--slot", "desktop")["slots"][0]
    assert (report["version"], report["uploaded_bytes"]) == (1, 0)
    assert room() == len(content) + len("another")
    assert not game.get("savegames/uploads")


CALLS = [pytest.param(SaveStore, "send", id="send")]
CALLS += [pytest.param(SaveApi, name, id=name) for name in ("plan", "begin", "commit")]


@pytest.mark.parametrize(("kind", "name"), CALLS)
def test_scenario_12_a_client_killed_between_two_calls(game, deck, desktop, kind, name):
    """Also after the commit, whose answer is lost then."""
    files = {f"worlds/w/{one}.dat": b"%d" % one * 100 for one in range(6)}
    for path, content in files.items():
        deck.put(path, content)
    assert deck.killed("sync", "--now", before=dies_after(kind, name))
    deck.killed("sync", "--now", before=dies_after(kind, name, 2))
    deck.run("sync", "--now")
    assert deck.report("sync", "--now")["slots"][0]["reason"] == "identical"
    assert game.versions == [1]
    assert not game.get("savegames/uploads")
    assert not game.conflicts
    events = [one["attributes"] for one in game.get("events", cursor=0, limit=100)]
    said = [one["payload"]["status"] for one in events if one["event_type"] == "savegame.sync.status"]
    assert said.count("sync_completed") == 1
    desktop.run("sync", "--now")
    assert desktop.files == files


async def note_as_missing(dsn, user, content):
    """As the service does for an object that is not in the store."""
    connection = await asyncpg.connect(dsn)
    lost = "UPDATE savegames.savegame_contents SET missing_since = now() WHERE user_id = $1 AND file_hash_sha256 = $2"
    assert await connection.execute(lost, user, sha256(content).digest()) == "UPDATE 1"
    await connection.close()


@pytest.mark.parametrize("is_known", [False, True])
def test_scenario_13_a_content_lost_before_the_commit_is_sent_again(game, platform, bucket, deck, desktop, is_known):
    """Of this upload, or of a version that the cloud had."""
    kept, new = random.Random(13).randbytes(3000), random.Random(14).randbytes(2000)
    deck.put("worlds/w/kept.dat", kept)
    deck.run("sync", "--now")
    deck.put("worlds/w/new.dat", new)
    assert deck.killed("sync", "--now", before=dies_after(SaveStore, "send"))
    if is_known:
        assert bucket.delete(str(game.product))
        asyncio.run(note_as_missing(platform.dsn, game.user, kept))
    else:
        [upload] = game.get("savegames/uploads")
        assert bucket.delete(f"incoming/{upload['id']}")
    report = deck.report("sync", "--now")["slots"][0]
    assert (report["version"], report["uploaded_bytes"]) == (2, len(kept if is_known else new))
    desktop.run("sync", "--now")
    assert desktop.files == {"worlds/w/kept.dat": kept, "worlds/w/new.dat": new}
