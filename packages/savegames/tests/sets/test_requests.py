"""Requests for uploads of sets on a real PostgreSQL: what is reserved, what has to be sent, what is refused."""

from hashlib import sha256

WORLD = {"world/level.dat": b"level", "world/map.dat": b"a map", "options.ini": b"loud"}


async def test_a_first_set_has_to_be_sent_whole(sets):
    reservation = await sets.request(WORLD)
    assert (reservation.is_set, reservation.file_count, reservation.base_version) == (True, 3, 0)
    wanted = sorted((sha256(data).digest(), len(data)) for data in WORLD.values())
    assert [(one.sha256, one.size) for one in reservation.missing] == wanted
    assert {one.key for one in reservation.missing} == {
        f"incoming/{reservation.upload_id}/{sets.hash_of(data)}" for data in WORLD.values()
    }
    assert await sets.player.usage() == (0, 14)
    assert await sets.listed() == [sorted(WORLD)]


async def test_the_same_request_is_the_same_upload(sets):
    first = await sets.request(WORLD)
    again = await sets.request(WORLD, comment="again", client_modified_at="2026-05-20T10:00:00Z")
    assert again.upload_id == first.upload_id
    [row] = await sets.rows("uploads")
    assert (row["comment"], row["file_count"], row["version"]) == ("again", 3, 1)
    other = await sets.request(WORLD, device_id="deck")
    assert other.upload_id != first.upload_id
    assert await sets.player.usage() == (0, 14)


async def test_files_arrive_and_are_verified_in_batches(sets):
    reservation = await sets.request(WORLD)
    sets.send_all(reservation, WORLD)
    results, work = await sets.verify(reservation, limit=2)
    assert [one.problem for one in results] == [None] * 3
    assert (work.verified, work.total) == (3, 3)
    assert (await sets.sets.renew(sets.id, reservation.upload_id)).missing == reservation.missing[:0]
    assert await sets.player.usage() == (0, 14)
    contents = await sets.rows("contents")
    assert {row["state"] for row in contents} == {"pending"}
    assert all(row["verified_at"] for row in contents)


async def test_cancelling_frees_everything(sets):
    reservation = await sets.request(WORLD)
    sets.send(reservation, b"level")
    await sets.verify(reservation)
    await sets.player.uploads.cancel(sets.id, reservation.upload_id)
    assert await sets.player.usage() == (0, 0)
    assert {row["state"] for row in await sets.rows("contents")} == {"dropped"}
    for table in ("upload_files", "manifests", "manifest_contents"):
        assert await sets.rows(table) == []
