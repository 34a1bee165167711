"""Large files over REST, which are sent in parts."""

import os
from hashlib import sha256

import pytest

PART = 8 * 1024**2


@pytest.fixture(scope="module")
def content():
    """A file of three parts, the last of which is short."""
    return os.urandom(2 * PART + 1000)


@pytest.mark.parametrize("path", ["saves/large.bin", None])
async def test_only_the_parts_that_are_missing_are_offered_again(player, pc, data_of, refused, content, path):
    files = {path: content}
    upload_id, attributes = await pc.begin(files)
    [missing] = attributes["uploads"]
    assert (missing["part_size_bytes"], missing["upload_url"], missing["method"]) == (PART, None, None)
    assert [(part["number"], part["size_bytes"]) for part in missing["parts"]] == [(1, PART), (2, PART), (3, 1000)]
    first, second, _ = missing["parts"]
    assert (await pc.put(first, content[:PART])).status_code == 200
    assert (await pc.put(second, content[: 2 * PART][::-1][:PART])).status_code >= 400  # the store knows its hash
    assert refused(await pc.commit(upload_id)) == (422, "SAVEGAME_UPLOAD_INCOMPLETE")
    left = (await player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
    assert [part["number"] for part in left["uploads"][0]["parts"]] == [2, 3]
    await pc.send_all(upload_id, left, files)
    savegame_id, saved = data_of(await pc.commit(upload_id))
    assert saved["file_count"] == (None if path is None else 1)
    assert await pc.load(savegame_id) == files
    assert sha256(content).hexdigest() == (await pc.download(savegame_id))["files"][0]["sha256"]
