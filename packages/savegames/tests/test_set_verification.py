"""The files of a set are verified a few at a time, once each, whatever the store and the client do."""

import asyncio
import gzip
from functools import partial
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames import (
    FileAttempt,
    FileProblem,
    FilesToVerify,
    NotTried,
    Packing,
    SetVerification,
    StoreUnavailable,
    VerificationProgress,
    verify_file,
)
from gameshelf.savegames._multipart_layout import PART_BYTES
from gameshelf.savegames._set_verification import MAX_RUNNING_OF_USER, VERIFY_BATCH
from gameshelf.savegames.testing import MemoryStore
from hypothesis import given, settings
from hypothesis import strategies as st

LONG = 60
"""Longer than any test."""
USER, UPLOAD = uuid4(), uuid4()


class Store(MemoryStore):
    """A store that can be held up, and that counts."""

    def __init__(self):
        super().__init__()
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.digested = []
        self.in_work = self.most_in_work = 0
        self.waits = asyncio.Event()

    async def digest(self, key, size, packing=None):
        self.in_work += 1
        self.most_in_work = max(self.most_in_work, self.in_work)
        self.digested.append(key)
        try:
            self.waits.set()
            await self.is_open.wait()
            await asyncio.sleep(0)
            return await super().digest(key, size, packing)
        finally:
            self.in_work -= 1


class Upload:
    """The rows of an upload: which files are verified, and which problem the last attempt had."""

    def __init__(self, store, contents, **more):
        self.store = store
        self.files = {sha256(content).digest(): content for content in contents}
        self.more = more
        self.verified = set()
        self.problems = {}
        self.taken = []
        self.is_cancelled = False
        for digest, content in self.files.items():
            store.upload(self.source(digest), content)

    def source(self, digest):
        return f"incoming/1/{digest.hex()}"

    async def take(self, done, after, limit):
        await asyncio.sleep(0)
        if self.is_cancelled:
            raise LookupError("the upload was cancelled")
        self.taken.append((len(done), limit))
        for result in done:
            if result.problem:
                self.problems[result.attempt.sha256] = result.problem
            else:
                self.verified.add(result.attempt.sha256)
        rest = sorted(digest for digest in self.files if digest not in self.verified and digest > after)[:limit]
        counts = (None, None) if rest and after else (len(self.verified), len(self.files))
        return FilesToVerify([self.attempt(digest) for digest in rest], *counts)

    def attempt(self, digest, **more):
        content_id = uuid4()
        made = {"source": self.source(digest), "metadata": {"part": "1"}, **self.more, **more}
        target = made.pop("target", f"user/{content_id.hex}")
        return FileAttempt(digest, len(self.files[digest]), content_id, target=target, **made)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
async def verification(store):
    made = SetVerification(partial(verify_file, store), at_once=3)
    yield made
    await made.close()


def some(count):
    return [number.to_bytes(2, "big") for number in range(count)]


async def test_all_files_are_verified_a_few_at_a_time(store, verification):
    upload = Upload(store, some(2 * VERIFY_BATCH + 5))
    progress = await verification.verify(USER, UPLOAD, upload.take, LONG)
    assert progress == VerificationProgress(True, 133, 133)
    assert (upload.verified, upload.problems) == ({*upload.files}, {})
    assert upload.taken == [(0, 64), (64, 64), (64, 64), (5, 64)]
    assert len({*store.digested}) == len(store.digested) == 133
    assert store.most_in_work == 3
    assert store.metadata(store.digested[0]) == {"part": "1"}


async def test_a_client_that_waited_long_enough_is_answered(store, verification):
    upload = Upload(store, some(5))
    store.is_open.clear()
    for _ in range(2):
        assert await verification.verify(USER, UPLOAD, upload.take, 0) == VerificationProgress(False, 0, 5)
    store.is_open.set()
    assert await verification.verify(USER, UPLOAD, upload.take, LONG) == VerificationProgress(True, 5, 5)
    assert len(store.digested) == 5  # the requests joined one work


async def test_the_work_continues_without_its_client(store, verification):
    upload = Upload(store, some(5))
    store.is_open.clear()
    client = asyncio.create_task(verification.verify(USER, UPLOAD, upload.take, LONG))
    await store.waits.wait()
    client.cancel()
    await asyncio.wait([client])
    store.is_open.set()
    assert (await verification.verify(USER, UPLOAD, upload.take, LONG)).is_complete
    assert len(store.digested) == 5


async def test_a_repetition_verifies_only_the_rest(store, verification):
    upload = Upload(store, some(6))
    gone = sorted(upload.files)[2]
    await store.delete([upload.source(gone)])
    assert await verification.verify(USER, UPLOAD, upload.take, LONG) == VerificationProgress(True, 5, 6)
    assert upload.problems == {gone: FileProblem.MISSING}
    store.upload(upload.source(gone), upload.files[gone])
    assert await verification.verify(USER, UPLOAD, upload.take, LONG) == VerificationProgress(True, 6, 6)
    assert len(store.digested) == 6


async def test_results_before_a_failure_are_noted(store):
    upload = Upload(store, some(9))
    failing = sorted(upload.files)[4]

    async def verify(attempt):
        if attempt.sha256 == failing and failing not in tried:
            tried.add(failing)
            raise StoreUnavailable("GetObject: 503")
        return await verify_file(store, attempt)

    tried = set()
    verification = SetVerification(verify, at_once=2)
    with pytest.raises(StoreUnavailable):
        await verification.verify(USER, UPLOAD, upload.take, LONG)
    assert 4 <= len(upload.verified) < 9
    assert upload.taken[-1] == (len(upload.verified), 0)
    before = len(store.digested)
    assert (await verification.verify(USER, UPLOAD, upload.take, LONG)).verified == 9
    assert len(store.digested) - before == 9 - before


async def test_a_store_that_is_away_fails_all_who_wait(store, verification):
    store.away = True
    uploads = [Upload(store, some(20)) for _ in range(20)]
    outcomes = await asyncio.gather(
        *(verification.verify(uuid4(), uuid4(), upload.take, LONG) for upload in uploads), return_exceptions=True
    )
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert store.digested == []
    store.away = False
    assert (await verification.verify(USER, UPLOAD, uploads[0].take, LONG)).is_complete


async def test_an_upload_that_was_cancelled_meanwhile_ends(store, verification):
    upload = Upload(store, some(5))
    store.is_open.clear()
    await verification.verify(USER, UPLOAD, upload.take, 0)
    upload.is_cancelled = True
    store.is_open.set()
    with pytest.raises(LookupError):
        await verification.verify(USER, UPLOAD, upload.take, LONG)


async def test_a_process_and_a_user_verify_a_bounded_number_of_sets(store):
    verification = SetVerification(partial(verify_file, store), at_once=3, most=MAX_RUNNING_OF_USER + 1)
    store.is_open.clear()
    upload = Upload(store, some(5))

    async def begin(user):
        await verification.verify(user, uuid4(), upload.take, 0)

    for _ in range(MAX_RUNNING_OF_USER):
        await begin(USER)
    with pytest.raises(NotTried):
        await begin(USER)
    await begin(uuid4())
    with pytest.raises(NotTried):
        await begin(uuid4())
    await verification.close()
    store.is_open.set()
    await begin(USER)
    await verification.close()


async def test_a_process_that_stops_notes_what_is_verified(store, verification):
    upload = Upload(store, some(5))
    first, *rest = sorted(upload.files)
    one_at_a_time = SetVerification(partial(verify_file, Holding(store, rest)), at_once=1)
    client = asyncio.create_task(one_at_a_time.verify(USER, UPLOAD, upload.take, LONG))
    await store.waits.wait()
    await one_at_a_time.close()
    with pytest.raises(NotTried):
        await client
    assert upload.verified == {first}
    assert (await verification.verify(USER, UPLOAD, upload.take, LONG)).verified == 5


async def test_a_process_that_stops_at_once_answers_its_clients(store, verification):
    upload = Upload(store, some(5))
    client = asyncio.create_task(verification.verify(USER, UPLOAD, upload.take, LONG))
    await asyncio.sleep(0)  # the work is scheduled, and has not begun
    await verification.close()
    with pytest.raises(NotTried):
        await client
    assert upload.taken == []
    assert (await verification.verify(USER, UPLOAD, upload.take, LONG)).is_complete


@given(st.lists(st.integers(0, 2), min_size=1, max_size=150), st.integers(1, 9))
@settings(max_examples=sized(10, 50), deadline=None)
def test_any_failures_cost_no_verified_file_twice(failures, at_once):
    asyncio.run(_verify_with_failures(failures, at_once))


async def _verify_with_failures(failures, at_once):
    store = Store()
    upload = Upload(store, some(len(failures)))
    left = dict(zip(sorted(upload.files), failures, strict=True))
    succeeded = []

    async def verify(attempt):
        await asyncio.sleep(0)
        if left[attempt.sha256]:
            left[attempt.sha256] -= 1
            raise StoreUnavailable("GetObject: 503")
        succeeded.append(attempt.sha256)
        return await verify_file(store, attempt)

    verification = SetVerification(verify, at_once=at_once)
    progress = VerificationProgress(False, 0, 0)
    for _ in range(sum(failures) + 1):
        try:
            progress = await verification.verify(USER, UPLOAD, upload.take, LONG)
        except StoreUnavailable:
            continue
    assert progress == VerificationProgress(True, len(failures), len(failures))
    assert sorted(succeeded) == sorted(upload.files)


class Holding:
    """A store that never finishes the copy of some files."""

    def __init__(self, store, held):
        self._store = store
        self._held = {f"incoming/1/{digest.hex()}" for digest in held}

    async def copy(self, source, *args):
        if source in self._held:
            self._store.waits.set()
            await asyncio.Event().wait()
        return await self._store.copy(source, *args)

    async def digest(self, *args):
        return await MemoryStore.digest(self._store, *args)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"right", None),
        (b"wrong", FileProblem.SHA256),
        (b"longer", FileProblem.SIZE),
        (b"", FileProblem.SIZE),
        (None, FileProblem.MISSING),
    ],
)
async def test_the_problem_of_a_file_is_named(store, sent, problem):
    upload = Upload(store, [b"right"])
    [digest] = upload.files
    attempt = upload.attempt(digest)
    await store.delete([attempt.source])
    if sent is not None:
        store.upload(attempt.source, sent)
    result = await verify_file(store, attempt)
    assert (result.attempt, result.problem) == (attempt, problem)
    assert store.content(attempt.target) == sent


@pytest.mark.parametrize("is_in_place", [True, False], ids=["in place", "copied"])
async def test_unpacked_bytes_are_verified_too(store, is_in_place):
    packed = gzip.compress(b"raw bytes")
    upload = Upload(store, [packed])
    [digest] = upload.files
    place = {"source": None, "target": upload.source(digest)} if is_in_place else {}
    raw = {"raw_sha256": sha256(b"raw bytes").digest(), "raw_size": 9}
    for packing, changed, problem in (
        (Packing("gzip", 9), {}, None),
        (Packing("gzip", 9), {"raw_size": None}, None),
        (Packing("gzip", 9), {"raw_size": 8}, FileProblem.RAW),
        (Packing("gzip", 9), {"raw_sha256": digest}, FileProblem.RAW),
        (Packing("gzip", 8), {}, FileProblem.RAW),
        (Packing("zstd", 9), {}, FileProblem.RAW),
    ):
        result = await verify_file(store, upload.attempt(digest, packing=packing, **place, **(raw | changed)))
        assert result.problem == problem, (packing, changed)


async def test_a_live_object_that_was_lost_is_missing(store):
    upload = Upload(store, [b"right"])
    [digest] = upload.files
    result = await verify_file(store, upload.attempt(digest, source=None, target="lost"))
    assert (result.digest, result.problem) == (None, FileProblem.MISSING)


class InParts:
    """A file that is uploaded in parts."""

    def __init__(self, store, content):
        self.store = store
        self.content = content
        self.upload = Upload(store, [content])
        [self.digest] = self.upload.files
        self.key = self.upload.source(self.digest)

    async def begin(self):
        await self.store.delete([self.key])
        self.id = await self.store.begin_parts(self.key)
        return self

    async def send(self, number, data=None):
        if data is None:
            data = self.content[(number - 1) * PART_BYTES : number * PART_BYTES]
        signed = await self.store.sign_part(self.key, self.id, number, len(data), 60, sha256(data).digest())
        assert (await self.store.send(signed, data)).status == 200

    async def verify(self):
        result = await verify_file(self.store, self.upload.attempt(self.digest, multipart_id=self.id))
        return result.problem


async def test_parts_are_joined_and_verified_as_one_file(store):
    file = await InParts(store, bytes(PART_BYTES) + b"rest").begin()
    await file.send(2)
    assert await file.verify() is FileProblem.MISSING
    await file.send(1)
    for _ in range(2):  # the second attempt finds them joined
        assert await file.verify() is None
    assert await store.open_parts("") == []


async def test_parts_of_other_sizes_are_not_joined(store):
    file = await InParts(store, bytes(PART_BYTES) + b"rest").begin()
    await file.send(1)
    await file.send(2, b"other")
    assert await file.verify() is FileProblem.MISSING
    await file.send(2)
    await file.send(3, b"more")
    assert await file.verify() is FileProblem.MISSING


async def test_parts_that_the_store_has_dropped_are_missing(store):
    file = await InParts(store, bytes(PART_BYTES) + b"rest").begin()
    for number in (1, 2):
        await file.send(number)
    await store.abort_parts(file.key, file.id)
    assert await file.verify() is FileProblem.MISSING


@pytest.mark.parametrize("left", [(), (2,)])
async def test_a_store_that_died_after_it_had_joined_parts_lacks_nothing(store, left):
    """It makes the object, and then deletes the parts one by one."""
    file = await InParts(store, bytes(PART_BYTES) + b"rest").begin()
    for number in left:
        await file.send(number)
    assert await file.verify() is FileProblem.MISSING
    store.upload(file.key, file.content)
    assert await file.verify() is None
