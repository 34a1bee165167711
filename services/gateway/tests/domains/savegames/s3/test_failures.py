"""A store that is away, silent or wrong ends in StoreUnavailable, soon, and nothing is left behind."""

import asyncio
import hashlib
import tracemalloc

import pytest
from gameshelf.devstack.servers.base import HOST
from gameshelf.gateway.domains.savegames.s3.client import CALL_SECONDS
from gameshelf.gateway.domains.savegames.s3.store import connect
from gameshelf.gateway.runtime.errors import ServiceUnavailable
from gameshelf.gateway.runtime.failures import is_passing, refused
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.savegames import Digest, StoreUnavailable

BIG = 50 * 1024**2
HANG_SECONDS = 30
"""No measure of speed: what takes as long would have hung."""


def calls(objects):
    """Every call of the port."""
    return (objects.copy("a", "b", {}), objects.digest("a", 5), objects.delete(["a"]), objects.list(""))


async def assert_away(objects):
    async with asyncio.timeout(HANG_SECONDS):
        outcomes = await asyncio.gather(*calls(objects), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 4


async def test_a_store_that_was_killed_or_frozen_is_unavailable_until_it_is_back(new_bucket, own_s3):
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


async def test_more_callers_than_connections_are_all_answered_by_a_frozen_store(new_bucket, own_s3):
    bucket = await new_bucket(own_s3)
    own_s3.freeze()
    async with asyncio.timeout(HANG_SECONDS):
        outcomes = await asyncio.gather(*(bucket.objects.list("") for _ in range(200)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    own_s3.thaw()
    assert await bucket.objects.list("") == []


@pytest.mark.parametrize(
    "changed", [{"S3_SECRET_ACCESS_KEY": "wrong"}, {"S3_ACCESS_KEY_ID": "nobody"}, {"S3_BUCKET_SAVEGAMES": "no-such"}]
)
async def test_wrong_keys_and_an_absent_bucket_are_no_absent_objects(settings_of, s3, changed):
    objects = connect(settings_of(s3, **changed))
    await objects.open()
    await assert_away(objects)
    await objects.close()


ANSWERS = {
    "ends in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", True),
    "stops in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", False),
    "is no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", True),
    "is nothing": (b"", True),
    "is a failure": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", True),
    "is too many": (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", True),
    "is a page of a proxy": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", True),
    "leads elsewhere": (b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", True),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_none(settings_of, s3, name):
    said, ends = ANSWERS[name]
    written = []

    async def answer(reader, writer):
        written.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        if ends:
            await writer.drain()
            writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        objects = connect(settings_of(s3, S3_ENDPOINT=f"http://{HOST}:{port}"))
        await objects.open()
        async with asyncio.timeout(HANG_SECONDS):
            with pytest.raises(StoreUnavailable):
                await objects.digest("a", 5)
        await objects.close()
        for writer in written:
            writer.close()


async def test_who_gives_up_leaves_no_connection_in_use(new_bucket, s3):
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
    await bucket.objects.digest("big", BIG)  # what is made once is made
    tracemalloc.start()
    try:
        await bucket.objects.digest("big", BIG)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BIG / 10


async def test_a_failure_is_counted_and_names_the_store_to_the_caller(settings_of, own_s3):
    metrics = Metrics()
    objects = connect(settings_of(own_s3), metrics)
    await objects.open()
    own_s3.kill()
    with pytest.raises(StoreUnavailable) as failed:
        await objects.list("")
    await objects.close()
    assert metrics.registry.get_sample_value("dependency_errors_total", {"dependency": "s3"}) == 1
    assert is_passing(failed.value)
    told = refused(failed.value)
    assert isinstance(told, ServiceUnavailable)
    assert told.meta == {"dependency": "s3"}


@pytest.mark.long
async def test_a_copy_is_given_the_time_that_its_bytes_need(settings_of, s3):
    """As a store copies that says nothing until it is done: longer than any other call may take."""
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
        changed = {"S3_ENDPOINT": f"http://{HOST}:{port}", "MAX_SAVEGAME_SIZE_BYTES": str(1024**3)}
        objects = connect(settings_of(s3, **changed))
        await objects.open()
        assert await objects.copy("a", "b", {}, BIG)
        with pytest.raises(StoreUnavailable):
            await objects.copy("a", "b", {}, 1)
        await objects.close()
