"""A store that is unreachable, silent or wrong ends in StoreUnavailable, soon, and leaks no connection."""

import asyncio
import hashlib
import tracemalloc
from contextlib import contextmanager

import pytest
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.savegames import Digest, StoredPart, StoreUnavailable
from gameshelf.savegames.s3._client import CALL_SECONDS

BIG = 50 * 1024**2


def calls(objects):
    """Every call of the port."""
    return (
        *calls_about_objects(objects),
        objects.describe("a"),
        objects.parts("a", "1"),
        objects.complete_parts("a", "1", [StoredPart(1, 5, '"e"')]),
        objects.abort_parts("a", "1"),
    )


def calls_about_objects(objects):
    """The calls of the port for which every store distinguishes an absent bucket."""
    return (
        objects.copy("a", "b", {}),
        objects.copy("a", "b", {}, 6 * 1024**3),
        objects.digest("a", 5),
        objects.put("a", b"bytes", {}),
        objects.read("a", 5),
        objects.delete(["a"]),
        objects.list(""),
        objects.begin_parts("a"),
        objects.open_parts(""),
    )


async def assert_away(objects, calls=calls):
    async with asyncio.timeout(PATIENCE_SECONDS):
        outcomes = await asyncio.gather(*calls(objects), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}, outcomes


@pytest.mark.long
async def test_a_killed_or_frozen_store_is_unavailable_until_it_is_back(new_bucket, own_s3):
    bucket = await new_bucket(own_s3)
    await bucket.put("a", b"bytes")
    for away, back in ((own_s3.kill, own_s3.start), (own_s3.freeze, own_s3.thaw), (own_s3.stop, own_s3.start)):
        away()
        await assert_away(bucket.objects)
        signed = await bucket.objects.sign_upload("staging/1", 5, 60)
        await asyncio.to_thread(back)
        found = await bucket.objects.digest("a", 5)
        assert found == Digest(5, hashlib.sha256(b"bytes").digest())
        assert (await bucket.send(signed, b"bytes")).status == 200


async def test_all_callers_of_a_frozen_store_get_an_error(new_bucket, own_s3):
    bucket = await new_bucket(own_s3)
    own_s3.freeze()
    async with asyncio.timeout(PATIENCE_SECONDS):
        outcomes = await asyncio.gather(*(bucket.objects.list("") for _ in range(200)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    own_s3.thaw()
    assert await bucket.objects.list("") == []


@pytest.mark.parametrize(
    "changed", [{"secret_access_key": "wrong"}, {"access_key_id": "nobody"}, {"bucket": "no-such-bucket"}]
)
async def test_wrong_keys_and_a_missing_bucket_are_not_missing_objects(config_of, opened, s3, changed):
    async with opened(config_of(s3, **changed)) as objects:
        await assert_away(objects, calls_about_objects if "bucket" in changed else calls)


RESPONSES = {
    "ends in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", True),
    "stops in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", False),
    "is no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", True),
    "is nothing": (b"", True),
    "is a failure": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", True),
    "is too many": (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", True),
    "is a page of a proxy": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", True),
    "leads elsewhere": (b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", True),
}


@pytest.mark.parametrize("name", RESPONSES)
async def test_an_invalid_response_is_a_failure_of_the_store(config_of, opened, s3, name):
    response, ends = RESPONSES[name]
    written = []

    async def answer(reader, writer):
        written.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        if ends:
            await writer.drain()
            writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            opened(config_of(s3, endpoint=f"http://{HOST}:{port}")) as objects,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            with pytest.raises(StoreUnavailable):
                await objects.digest("a", 5)
        for writer in written:
            writer.close()


@pytest.mark.long
async def test_cancelled_calls_release_their_connections(new_bucket, s3):
    bucket = await new_bucket(s3)
    await bucket.put("big", bytes(BIG))
    digest = Digest(BIG, hashlib.sha256(bytes(BIG)).digest())
    for _ in range(3):
        tasks = [asyncio.create_task(bucket.objects.digest("big", BIG)) for _ in range(40)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(outcome == digest or isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    for _ in range(64):
        assert await bucket.objects.digest("big", 1) == Digest(BIG, None)
    assert await bucket.objects.digest("big", BIG) == digest


async def test_a_large_object_is_digested_in_little_memory(new_bucket, s3):
    bucket = await new_bucket(s3)
    await bucket.put("big", bytes(BIG))
    await bucket.objects.digest("big", BIG)  # fills all caches first
    tracemalloc.start()
    try:
        await bucket.objects.digest("big", BIG)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BIG / 10


async def test_calls_and_failures_are_observed(config_of, opened, own_s3):
    calls, failures, open_spans = [], [], []

    @contextmanager
    def span(operation):
        calls.append(operation)
        open_spans.append(operation)
        yield
        open_spans.pop()

    config = config_of(own_s3)
    own_s3.create_bucket(config.bucket)
    async with opened(config, span=span, on_failure=failures.append) as objects:
        assert await objects.digest("none", 1) is None
        assert (calls, open_spans, failures) == (["GetObject"], [], [])
        own_s3.kill()
        with pytest.raises(StoreUnavailable) as failed:
            await objects.list("")
    assert calls[-1] == "ListObjectsV2"
    assert failures == [failed.value]


@pytest.mark.long
async def test_a_copy_may_take_as_long_as_its_bytes_need(config_of, opened, s3):
    """The store sends nothing until it has copied, which takes longer than the limit of other calls."""
    seconds = CALL_SECONDS + 1

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(seconds)
        body = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        config = config_of(s3, endpoint=f"http://{HOST}:{port}", max_object_bytes=1024**3)
        async with opened(config) as objects:
            assert await objects.copy("a", "b", {}, BIG)
            with pytest.raises(StoreUnavailable):
                await objects.copy("a", "b", {}, 1)
