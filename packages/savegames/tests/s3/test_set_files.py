"""The files of a set on a real server: a large one over several connections, and many while the store goes away."""

import asyncio
from dataclasses import replace
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from gameshelf.savegames import (
    FileAttempt,
    FileProblem,
    FilesToVerify,
    MissingFile,
    SetVerification,
    StoreUnavailable,
    VerificationProgress,
    find_arrived_files,
    sign_missing_files,
    verify_file,
)
from gameshelf.savegames._multipart_layout import part_sizes
from gameshelf.savegames.conformance import some_bytes
from gameshelf.savegames.s3 import SignedHash

PREFIX = "incoming/1/"
LONG = 120


def parts_of(content):
    starts = [sum(part_sizes(len(content))[:number]) for number in range(len(part_sizes(len(content))))]
    return [content[start : start + size] for start, size in zip(starts, part_sizes(len(content)), strict=True)]


def missing(content, **more):
    digest = sha256(content).digest()
    return MissingFile(digest, len(content), PREFIX + digest.hex(), **more)


def attempt_of(file):
    content_id = uuid4()
    return FileAttempt(
        file.sha256,
        file.size,
        content_id,
        source=file.key,
        target=f"user/{content_id.hex}",
        metadata={"part": "1"},
        multipart_id=file.multipart_id,
    )


async def send_half(request, data):
    """Breaks the connection in the middle of a body."""
    url = urlsplit(request.url)
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n{headers}\r\n".encode())
    writer.write(data[: len(data) // 2])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.long
async def test_forty_megabytes_in_parts_resume_where_they_were_cut(new_bucket, s3):
    bucket = await new_bucket(s3, signed_hash=SignedHash.PAYLOAD)
    content = some_bytes(40_000_000)
    parts = parts_of(content)
    file = missing(content, part_sha256=[sha256(part).digest() for part in parts])
    begun = []

    async def keep(_, multipart_id):
        begun.append(multipart_id)
        return multipart_id

    [signed] = (await sign_missing_files(bucket.objects, [file], 60, keep)).files
    assert [part.number for part in signed.parts] == [1, 2, 3, 4, 5]
    for part in signed.parts[:3]:
        assert (await bucket.send(part.request, parts[part.number - 1])).status == 200
    await send_half(signed.parts[3].request, parts[3])
    corrupt = parts[4][:-1] + bytes([parts[4][-1] ^ 1])
    assert (await bucket.send(signed.parts[4].request, corrupt)).status == 400

    file = replace(file, multipart_id=begun[0])
    assert (await verify_file(bucket.objects, attempt_of(file))).problem is FileProblem.MISSING
    [signed] = (await sign_missing_files(bucket.objects, [file], 60, keep)).files
    assert [part.number for part in signed.parts] == [4, 5]
    for part in signed.parts:
        assert (await bucket.send(part.request, parts[part.number - 1])).status == 200
    assert (await sign_missing_files(bucket.objects, [file], 60, keep)).arrived == {file.sha256}
    attempt = attempt_of(file)
    assert (await verify_file(bucket.objects, attempt)).problem is None
    assert await bucket.read(attempt.target) == content
    assert await bucket.objects.describe(attempt.target) == {"part": "1"}
    assert begun == begun[:1]
    assert await bucket.objects.open_parts("") == []


class Rows:
    """What an upload's rows say: which files are verified."""

    def __init__(self, files):
        self._files = sorted(files, key=lambda file: file.sha256)
        self.results = []

    async def take(self, done, after, limit):
        self.results += done
        verified = {result.attempt.sha256 for result in self.results if result.problem is None}
        rest = [file for file in self._files if file.sha256 not in verified and file.sha256 > after]
        return FilesToVerify([attempt_of(file) for file in rest[:limit]], len(verified), len(self._files))


@pytest.mark.long
async def test_a_set_is_verified_once_although_the_store_goes_away(new_bucket, own_s3):
    bucket = await new_bucket(own_s3, signed_hash=SignedHash.PAYLOAD)
    contents = {sha256(content).digest(): content for content in (number.to_bytes(2, "big") for number in range(150))}
    files = [missing(contents[digest]) for digest in sorted(contents)]
    while signed := (await sign_missing_files(bucket.objects, files, 60, _never)).files:
        await asyncio.gather(*(bucket.send(one.request, contents[one.file.sha256]) for one in signed))
        arrival = await find_arrived_files(bucket.objects, PREFIX, files)
        files = [file for file in files if file.sha256 not in arrival.arrived]
    rows = Rows(missing(content) for content in contents.values())
    away_after = 70

    async def verify(attempt):
        nonlocal away_after
        away_after -= 1
        if away_after == 0:
            own_s3.kill()
        return await verify_file(bucket.objects, attempt)

    verification = SetVerification(verify)
    with pytest.raises(StoreUnavailable):
        await verification.verify(uuid4(), uuid4(), rows.take, LONG)
    assert 60 < len(rows.results) < 150
    await asyncio.to_thread(own_s3.start)
    progress = await SetVerification(partial(verify_file, bucket.objects)).verify(uuid4(), uuid4(), rows.take, LONG)
    assert progress == VerificationProgress(True, 150, 150)
    assert sorted(result.attempt.sha256 for result in rows.results) == sorted(contents)
    for result in rows.results[::10]:
        assert await bucket.read(result.attempt.target) == contents[result.attempt.sha256]


async def _never(file, multipart_id):
    raise AssertionError("no file goes in parts")
