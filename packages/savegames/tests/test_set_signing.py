"""What a client is asked to send of a set, and what has arrived."""

import asyncio
from hashlib import sha256

import pytest
from gameshelf.savegames import MissingFile, StoredPart, find_arrived_files, sign_missing_files
from gameshelf.savegames._multipart_layout import MAX_PARTS, PART_BYTES, part_sizes
from gameshelf.savegames.testing import MemoryStore
from hypothesis import given
from hypothesis import strategies as st

PREFIX = "incoming/1/"


def missing(content, *, in_parts=False, **more):
    digest = sha256(content).digest()
    parts = ()
    if in_parts:
        starts = range(0, len(content), PART_BYTES)
        parts = tuple(sha256(content[start : start + PART_BYTES]).digest() for start in starts)
    return MissingFile(digest, len(content), PREFIX + digest.hex(), parts, **more)


class Uploads:
    """The rows that remember multipart uploads, and a client."""

    def __init__(self):
        self.store = MemoryStore()
        self.kept = {}

    async def keep(self, file, multipart_id):
        if self.kept.get(file.sha256) == file.multipart_id:
            self.kept[file.sha256] = multipart_id
        return self.kept[file.sha256]

    async def sign(self, *files, **more):
        return (await self.look(*files, **more)).files

    async def look(self, *files, **more):
        return await sign_missing_files(self.store, files, 60, self.keep, **more)

    async def send(self, content, signed):
        """Sends all that was signed of a file."""
        if signed.request:
            assert (await self.store.send(signed.request, content)).status == 200
        for part in signed.parts:
            start = (part.number - 1) * PART_BYTES
            assert (await self.store.send(part.request, content[start : start + part.size])).status == 200


@pytest.fixture
def uploads():
    return Uploads()


LARGE = bytes(PART_BYTES) + bytes([1]) * PART_BYTES + b"end"


@given(st.integers(1, 5 * 1024**3 + 1))
def test_parts_of_any_file_are_those_of_the_contract(size):
    sizes = part_sizes(size)
    assert sum(sizes) == size
    assert 1 <= len(sizes) <= MAX_PARTS
    assert {*sizes[:-1]} <= {max(PART_BYTES, -(-size // 1000))}
    assert 0 < sizes[-1] <= max(sizes)


async def test_small_files_have_one_request_each_and_no_more_than_asked(uploads):
    contents = [bytes([number]) for number in range(5)]
    signed = await uploads.sign(*map(missing, contents), limit=3)
    assert [one.file for one in signed] == [missing(content) for content in contents[:3]]
    for content, one in zip(contents, signed, strict=False):
        await uploads.send(content, one)
        assert uploads.store.content(one.file.key) == content
    assert len(await uploads.sign(*map(missing, contents))) == 5


async def test_a_large_file_resumes_with_the_parts_that_lack(uploads):
    file = missing(LARGE, in_parts=True)
    [signed] = await uploads.sign(file)
    assert [(part.number, part.size) for part in signed.parts] == [(1, PART_BYTES), (2, PART_BYTES), (3, 3)]
    await uploads.store.send(signed.parts[1].request, LARGE[PART_BYTES : 2 * PART_BYTES])
    again = missing(LARGE, in_parts=True, multipart_id=uploads.kept[file.sha256])
    found = await uploads.look(again)
    [signed] = found.files
    assert [part.number for part in signed.parts] == [1, 3]
    assert (found.arrived, found.arrived_bytes) == (frozenset(), PART_BYTES)
    await uploads.send(LARGE, signed)
    found = await uploads.look(again, missing(b"small"))
    assert ([one.file for one in found.files], found.arrived) == ([missing(b"small")], {again.sha256})
    assert [one.multipart_id for one in await uploads.store.open_parts(PREFIX)] == [again.multipart_id]


async def test_parts_count_as_requests(uploads):
    first, second, small = missing(LARGE, in_parts=True), missing(LARGE + b"2", in_parts=True), missing(b"small")
    signed = await uploads.sign(first, second, small, limit=4)
    assert [len(one.parts) for one in signed] == [3, 1]
    signed = await uploads.sign(small, first, limit=1)
    assert [(one.file, one.parts) for one in signed] == [(small, ())]


async def test_two_requests_at_once_begin_one_multipart_upload(uploads):
    file = missing(LARGE, in_parts=True)
    both = await asyncio.gather(uploads.sign(file), uploads.sign(file))
    [begun] = await uploads.store.open_parts(PREFIX)
    assert begun.multipart_id == uploads.kept[file.sha256]
    for [signed] in both:
        await uploads.send(LARGE, signed)
    parts = await uploads.store.parts(file.key, begun.multipart_id)
    assert [part.number for part in parts] == [1, 2, 3]


async def test_a_file_that_is_not_awaited_any_more_is_not_sent(uploads):
    file = missing(LARGE, in_parts=True)

    async def forgotten(file, multipart_id):
        return None

    found = await sign_missing_files(uploads.store, [file], 60, forgotten)
    assert (list(found.files), found.arrived) == ([], {file.sha256})
    assert await uploads.store.open_parts(PREFIX) == []


async def test_a_file_whose_parts_were_joined_is_not_sent_again(uploads):
    file = missing(LARGE, in_parts=True)
    [signed] = await uploads.sign(file)
    await uploads.send(LARGE, signed)
    multipart_id = uploads.kept[file.sha256]
    parts = await uploads.store.parts(file.key, multipart_id)
    assert await uploads.store.complete_parts(file.key, multipart_id, parts)
    assert await uploads.sign(missing(LARGE, in_parts=True, multipart_id=multipart_id)) == []


@pytest.mark.parametrize("is_dropped", [True, False], ids=["dropped by the store", "rejected"])
async def test_a_file_without_its_parts_is_sent_again(uploads, is_dropped):
    file = missing(LARGE, in_parts=True)
    [signed] = await uploads.sign(file)
    old = uploads.kept[file.sha256]
    if is_dropped:
        await uploads.store.abort_parts(file.key, old)
    else:
        await uploads.send(LARGE, signed)
        await uploads.store.complete_parts(file.key, old, await uploads.store.parts(file.key, old))
    [signed] = await uploads.sign(missing(LARGE, in_parts=True, multipart_id=old, is_rejected=not is_dropped))
    assert [part.number for part in signed.parts] == [1, 2, 3]
    assert uploads.kept[file.sha256] != old
    await uploads.send(LARGE, signed)
    new = uploads.kept[file.sha256]
    assert await uploads.store.complete_parts(file.key, new, await uploads.store.parts(file.key, new))
    assert not await uploads.store.complete_parts(file.key + "0", new, [StoredPart(1, 1, "")])


async def test_what_has_arrived_is_found_from_a_hash_on(uploads):
    contents = {sha256(bytes([number])).digest(): bytes([number]) for number in range(12)}
    files = [missing(contents[digest]) for digest in sorted(contents)]
    arrival = await find_arrived_files(uploads.store, PREFIX, files)
    assert (arrival.arrived, arrival.through) == (frozenset(), b"")
    for index in (0, 1, 2, 5):
        uploads.store.upload(files[index].key, contents[files[index].sha256])
    uploads.store.upload(files[3].key, b"of another size")
    uploads.store.upload("incoming/10/" + files[4].sha256.hex(), contents[files[4].sha256])
    arrival = await find_arrived_files(uploads.store, PREFIX, files)
    assert arrival.arrived == {files[index].sha256 for index in (0, 1, 2, 5)}
    assert arrival.through == files[2].sha256
    rest = await find_arrived_files(uploads.store, PREFIX, files[2:], files[1].sha256)
    assert rest.arrived == {files[2].sha256, files[5].sha256}
    assert rest.through == files[2].sha256


async def test_a_rejected_file_has_not_arrived(uploads):
    uploads.store.upload(missing(b"1").key, b"2")
    arrival = await find_arrived_files(uploads.store, PREFIX, [missing(b"1", is_rejected=True)])
    assert (arrival.arrived, arrival.through) == (frozenset(), b"")


async def test_a_listing_of_many_pages_is_read(uploads):
    files = sorted((missing(number.to_bytes(2, "big")) for number in range(2500)), key=lambda file: file.sha256)
    for file in files:
        uploads.store.upload(file.key, b"..")
    arrival = await find_arrived_files(uploads.store, PREFIX, files)
    assert (len(arrival.arrived), arrival.through) == (2500, files[-1].sha256)
