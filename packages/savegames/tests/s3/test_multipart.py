"""Multipart uploads and copies in parts on a real server."""

import asyncio
import hashlib
import re
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from gameshelf.devstack.ports import HOST
from gameshelf.savegames import Digest
from gameshelf.savegames.conformance import some_bytes
from gameshelf.savegames.s3 import SignedHash, _multipart

MIB = 1024**2
SMALL_COPIES = {"max_copy_bytes": 8 * MIB, "copy_part_bytes": 5 * MIB}


@pytest.fixture
async def bucket(new_bucket, s3):
    return await new_bucket(s3, signed_hash=SignedHash.PAYLOAD, **SMALL_COPIES)


async def send_part(bucket, key, multipart_id, number, data):
    request = await bucket.objects.sign_part(key, multipart_id, number, len(data), 60, hashlib.sha256(data).digest())
    return (await bucket.send(request, data)).status


async def test_an_upload_resumes_with_another_client(bucket, opened):
    data = some_bytes(6 * MIB)
    multipart_id = await bucket.objects.begin_parts("incoming/1")
    assert await send_part(bucket, "incoming/1", multipart_id, 2, data[5 * MIB :]) == 200
    async with opened(bucket.config) as other:
        assert [one.multipart_id for one in await other.open_parts("incoming/")] == [multipart_id]
        assert [one.number for one in await other.parts("incoming/1", multipart_id)] == [2]
        assert await send_part(bucket, "incoming/1", multipart_id, 1, data[: 5 * MIB]) == 200
        parts = await other.parts("incoming/1", multipart_id)
        assert await other.complete_parts("incoming/1", multipart_id, parts)
    assert await bucket.read("incoming/1") == data


async def test_a_store_without_hashes_takes_parts_of_the_signed_length(new_bucket, s3):
    bucket = await new_bucket(s3, signed_hash=SignedHash.NONE)
    multipart_id = await bucket.objects.begin_parts("incoming/1")
    request = await bucket.objects.sign_part("incoming/1", multipart_id, 1, 5, 60, hashlib.sha256(b"right").digest())
    assert (await bucket.send(request, b"wrong")).status == 200
    honest = {**request.headers, "Content-Length": "6"}
    assert 400 <= (await bucket.send(replace(request, headers=honest), b"longer")).status < 500
    parts = await bucket.objects.parts("incoming/1", multipart_id)
    assert await bucket.objects.complete_parts("incoming/1", multipart_id, parts)
    assert await bucket.read("incoming/1") == b"wrong"


async def test_parts_and_uploads_of_more_than_one_page_are_listed(bucket, monkeypatch):
    monkeypatch.setattr(_multipart, "_PAGE", 2)
    ids = [await bucket.objects.begin_parts("incoming/1") for _ in range(3)]
    for number in (5, 1, 4, 2, 3):
        assert await send_part(bucket, "incoming/1", ids[0], number, b"part") == 200
    assert [one.number for one in await bucket.objects.parts("incoming/1", ids[0])] == [1, 2, 3, 4, 5]
    ids.append(await bucket.objects.begin_parts("incoming/2"))
    found = await bucket.objects.open_parts("incoming/")
    assert sorted(one.multipart_id for one in found) == sorted(ids)
    assert [one.key for one in found] == ["incoming/1"] * 3 + ["incoming/2"]
    assert [one.key for one in await bucket.objects.open_parts("incoming/", "incoming/1")] == ["incoming/2"]


async def test_a_part_that_was_replaced_is_not_joined(bucket):
    multipart_id = await bucket.objects.begin_parts("incoming/1")
    await send_part(bucket, "incoming/1", multipart_id, 1, b"first")
    parts = await bucket.objects.parts("incoming/1", multipart_id)
    await send_part(bucket, "incoming/1", multipart_id, 1, b"second")
    assert not await bucket.objects.complete_parts("incoming/1", multipart_id, parts)
    assert await bucket.read("incoming/1") is None


@pytest.mark.long
async def test_a_copy_in_parts_has_the_bytes_of_one_moment(bucket):
    contents = [bytes([letter]) * (12 * MIB) for letter in b"AB"]
    digests = [Digest(len(content), hashlib.sha256(content).digest()) for content in contents]
    await bucket.put("source", contents[0])
    for number in range(6):
        upload = bucket.put("source", contents[number % 2])
        await asyncio.gather(upload, bucket.objects.copy("source", f"{number}", {"n": "1"}, 12 * MIB))
        assert await bucket.objects.digest(f"{number}", 12 * MIB) in digests
        assert await bucket.objects.describe(f"{number}") == {"n": "1"}
    assert await bucket.objects.open_parts("") == []


async def test_an_object_that_is_smaller_than_announced_is_copied(bucket):
    for content in (b"", b"small"):
        await bucket.put("source", content)
        assert await bucket.objects.copy("source", "target", {"n": "1"}, 12 * MIB)
        assert await bucket.read("target") == content
        assert await bucket.objects.describe("target") == {"n": "1"}


async def test_a_cancelled_copy_in_parts_leaves_nothing(bucket):
    await bucket.put("source", bytes(40 * MIB))
    copying = asyncio.create_task(bucket.objects.copy("source", "target", {}, 40 * MIB))
    while not (copying.done() or await bucket.objects.open_parts("target")):
        await asyncio.sleep(0)
    copying.cancel()
    await asyncio.wait([copying])
    assert await bucket.objects.open_parts("") == []
    assert await bucket.objects.digest("target", 1) in (None, Digest(40 * MIB, None))


CREATION = rb"POST \S+\?uploads"


class LossyPassage:
    """Forwards requests to the store, and loses the response to the first of each kind, which the store has done. The
    response to the creation of an upload waits for ``may_answer``.
    """

    def __init__(self, port, kinds):
        self._port = port
        self._left = set(kinds)
        self.lost = []
        self.has_created, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            response = await self._forward(head[:-2] + b"Connection: close\r\n\r\n" + body)
            if re.match(CREATION, head):
                self.has_created.set()
                await self.may_answer.wait()
            kind = next((kind for kind in self._left if re.match(kind, head)), None)
            if kind is None:
                writer.write(response)
                await writer.drain()
            else:
                self._left.remove(kind)
                self.lost.append(kind)
        finally:
            writer.close()

    async def _forward(self, request):
        reader, writer = await asyncio.open_connection(HOST, self._port)
        writer.write(request)
        response = await reader.read()
        writer.close()
        return response


@pytest.fixture
async def lossy(bucket, s3, opened):
    """A store behind a passage that loses responses."""
    async with AsyncExitStack() as stack:

        async def open_through(*kinds):
            passage = LossyPassage(s3.port, kinds)
            server = await stack.enter_async_context(await asyncio.start_server(passage.serve, HOST, 0))
            endpoint = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
            return passage, await stack.enter_async_context(opened(replace(bucket.config, endpoint=endpoint)))

        yield open_through


COMPLETION = rb"POST \S+uploadId="


async def test_a_completion_whose_response_is_lost_has_succeeded(bucket, lossy):
    multipart_id = await bucket.objects.begin_parts("incoming/1")
    await send_part(bucket, "incoming/1", multipart_id, 1, b"part")
    passage, objects = await lossy(COMPLETION)
    parts = await objects.parts("incoming/1", multipart_id)
    assert await objects.complete_parts("incoming/1", multipart_id, parts)
    assert passage.lost == [COMPLETION]
    assert await bucket.read("incoming/1") == b"part"


async def test_a_copy_that_is_cancelled_while_it_begins_leaves_nothing(bucket, lossy):
    await bucket.put("source", bytes(12 * MIB))
    passage, objects = await lossy()
    passage.may_answer.clear()
    copying = asyncio.create_task(objects.copy("source", "target", {}, 12 * MIB))
    await passage.has_created.wait()
    assert len(await bucket.objects.open_parts("")) == 1
    copying.cancel()
    await asyncio.sleep(0)
    passage.may_answer.set()
    await asyncio.wait([copying])
    assert copying.cancelled()
    assert await bucket.objects.open_parts("") == []


async def test_a_copy_in_parts_survives_lost_responses(bucket, lossy):
    data = some_bytes(12 * MIB)
    await bucket.put("source", data)
    kinds = [rb"PUT \S+partNumber=%d\b" % number for number in (1, 2, 3)]
    passage, objects = await lossy(*kinds, COMPLETION)
    assert await objects.copy("source", "target", {"n": "1"}, len(data))
    assert sorted(passage.lost) == sorted([*kinds, COMPLETION])
    assert await bucket.read("target") == data
    assert await bucket.objects.describe("target") == {"n": "1"}
    assert await bucket.objects.open_parts("") == []
