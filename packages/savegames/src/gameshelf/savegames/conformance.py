"""Suites of tests that every implementation of the ports of the object store has to pass.

A store passes when ``class TestObjects(ObjectStoreSuite)``, and likewise ``SmallObjectSuite``, ``SignedRequestSuite``
and ``MultipartSuite`` of ``gameshelf.savegames.testing``, pass in a test module with a fixture ``subject`` of the type
``StoreUnderTest``. This module does not import pytest.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from unittest import SkipTest
from urllib.parse import quote
from uuid import uuid4

from gameshelf.savegames._ports import (
    MAX_PUT_BYTES,
    Digest,
    ObjectSigner,
    ObjectStore,
    ObjectTooLarge,
    SignedRequest,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of a store to a signed request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The names are in lower case."""


class StoreUnderTest(Protocol):
    """A store as the suites use it: its ports, and direct access to its objects."""

    @property
    def objects(self) -> ObjectStore: ...

    @property
    def signer(self) -> ObjectSigner: ...

    @property
    def skips(self) -> Mapping[str, str]:
        """Features that this store lacks, with the reason: ``signatures`` (verified as S3 does),
        ``expiry``, ``checksums`` (signed ones, compared with the bytes), or ``multiparts`` (that ended or are listed).
        """
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Stores an object."""
        ...

    async def read(self, key: str) -> bytes | None:
        """Returns an object's bytes; None when there is no object."""
        ...

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Returns an object's own metadata; None when there is no object."""
        ...

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        """Sends the request with exactly these headers. It follows no redirect and retries nothing."""
        ...

    async def wait(self, seconds: int) -> None:
        """Lets the time pass."""
        ...


# Around "/", which sorts after "!", "-" and "." and before the digits.
_SLASHES = ("a!", "a-b", "a.b/c", "a/b-c", "a/b.c", "a/b/c", "a/b0", "a/bc/d", "a/z", "a0", "ab", "b/1/2/3", "b/1/2-3")
# Characters that URLs and XML escape.
_ESCAPED = ("a b/c", "a+b", "a%20b", "a&b", "a<b", "~1f/x", "a=b", "a'b", "Z", "Игра/слот", "é", "😀", "a/я", "\ufffd")
AWKWARD = (*_SLASHES, *_ESCAPED, "b/10")
"""Unusual keys. None is a folder of another one: a store over files could not have both."""


class ObjectStoreSuite:
    """Tests of the promises of ObjectStore. They may share a store: each uses a folder of its own."""

    async def test_a_copy_has_the_bytes_and_the_given_metadata(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        metadata = {"user": str(uuid4()), "slot": "quick save", "version": "12"}
        await subject.put(f"{folder}source", b"bytes")
        assert await subject.objects.copy(f"{folder}source", f"{folder}to/target", metadata)
        assert await subject.read(f"{folder}to/target") == b"bytes"
        assert await subject.metadata(f"{folder}to/target") == metadata
        assert await subject.read(f"{folder}source") == b"bytes"

    async def test_a_copy_of_an_absent_object_changes_nothing(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}kept", b"kept")
        assert not await subject.objects.copy(f"{folder}absent", f"{folder}target", {})
        assert not await subject.objects.copy(f"{folder}absent", f"{folder}kept", {})
        assert await listed(subject, folder) == [f"{folder}kept"]
        assert await subject.read(f"{folder}kept") == b"kept"

    async def test_a_copy_replaces_an_object_and_its_metadata(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        for number in ("1", "22"):
            await subject.put(f"{folder}source", number.encode())
            assert await subject.objects.copy(f"{folder}source", f"{folder}target", {"n": number, f"only-{number}": ""})
        assert await subject.read(f"{folder}target") == b"22"
        assert await subject.metadata(f"{folder}target") == {"n": "22", "only-22": ""}

    async def test_an_object_has_the_metadata_of_its_copy(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        metadata = {"user-id": str(uuid4()), "slot-name": "%D0%98 (2)", "parent-version": "0"}
        await subject.put(f"{folder}source", b"bytes")
        for key in ("plain", *AWKWARD):
            assert await subject.objects.copy(f"{folder}source", f"{folder}to/{key}", metadata)
            assert await subject.objects.describe(f"{folder}to/{key}") == metadata, key
        assert await subject.objects.describe(f"{folder}source") == {}

    async def test_an_absent_object_has_no_metadata(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}object/below", b"")
        assert await subject.objects.describe(f"{folder}absent") is None
        assert await subject.objects.describe(f"{folder}object") is None

    async def test_a_copy_does_not_depend_on_its_source(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}source", b"first")
        await subject.objects.copy(f"{folder}source", f"{folder}target", {})
        await subject.put(f"{folder}source", b"second")
        await subject.objects.delete([f"{folder}source"])
        assert await subject.read(f"{folder}target") == b"first"

    async def test_a_copy_made_during_an_upload_has_the_bytes_of_one_moment(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        contents = [bytes([letter]) * 300_000 for letter in b"AB"]
        await subject.put(f"{folder}source", contents[0])
        for number in range(20):
            upload = subject.put(f"{folder}source", contents[number % 2])
            await asyncio.gather(upload, subject.objects.copy(f"{folder}source", f"{folder}{number}", {}))
            found = await subject.objects.digest(f"{folder}{number}", 300_000)
            assert found in [Digest(300_000, hashlib.sha256(content).digest()) for content in contents]

    async def test_objects_of_any_size_are_digested(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "object"
        for size in (0, 1, 65_535, 65_536, 65_537, 3_000_001):
            data = some_bytes(size)
            await subject.put(key, data)
            assert await subject.objects.digest(key, size) == Digest(size, hashlib.sha256(data).digest())

    async def test_a_digest_of_an_object_of_another_size_is_its_size(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "object"
        await subject.put(key, b"12345")
        for size in (0, 4, 6):
            assert await subject.objects.digest(key, size) == Digest(5, None)

    async def test_an_absent_object_has_no_digest(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}object/below", b"")
        assert await subject.objects.digest(f"{folder}absent", 0) is None
        assert await subject.objects.digest(f"{folder}object", 0) is None

    async def test_a_deletion_removes_the_objects_and_no_neighbours(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        kept = [f"{folder}object0", f"{folder}other/0", f"{folder}0"]
        gone = [f"{folder}object", f"{folder}other/object", f"{folder}alone/object"]
        for key in (*kept, *gone):
            await subject.put(key, b"")
        await subject.objects.delete([*gone, f"{folder}absent", f"{folder}no/such/folder"])
        assert await listed(subject, folder) == sorted(kept)
        assert await subject.objects.digest(gone[0], 0) is None

    async def test_a_deletion_can_be_repeated_and_a_key_reused(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "object"
        await subject.objects.delete([])
        for content in (b"one", b"two"):
            await subject.put(key, content)
            assert await subject.read(key) == content
            await subject.objects.delete([key, key])
            await subject.objects.delete([key])
            assert await subject.read(key) is None

    async def test_any_key_can_be_copied_to_digested_and_deleted(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}source", b"12")
        for key in AWKWARD:
            assert await subject.objects.copy(f"{folder}source", f"{folder}{key}", {"key": "there"}), key
            assert await subject.objects.copy(f"{folder}{key}", f"{folder}back", {}), key
            assert await subject.objects.digest(f"{folder}{key}", 3) == Digest(2, None)
        await subject.objects.delete([f"{folder}{key}" for key in AWKWARD])
        assert await listed(subject, folder) == [f"{folder}back", f"{folder}source"]

    async def test_a_listing_is_sorted_by_bytes_and_starts_after_any_key(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        keys = sorted((folder + key for key in AWKWARD), key=str.encode)
        for key in reversed(keys):
            await subject.put(key, b"")
        for prefix in ("", "a", "a/", "a/b", "b/1", "none"):
            matching = [key for key in keys if key.startswith(folder + prefix)]
            assert await listed(subject, folder + prefix) == matching
            for after in (*keys, f"{folder}a", f"{folder}a/", f"{folder}a/b/", f"{folder}b/1", folder, "", "\uffff"):
                beyond = [key for key in matching if key.encode() > after.encode()]
                assert await listed(subject, folder + prefix, after) == beyond, (prefix, after)

    async def test_a_listing_has_pages_of_the_given_size(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        keys = sorted((folder + key for key in AWKWARD), key=str.encode)
        for key in keys:
            await subject.put(key, b"")
        for limit in (1, 2, 7, len(keys)):
            found: list[str] = []
            while page := await listed(subject, folder, found[-1] if found else "", limit):
                assert len(page) == min(limit, len(keys) - len(found))
                found += page
            assert found == keys

    async def test_a_listing_has_sizes_and_times(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.put(f"{folder}a", b"123")
        await subject.put(f"{folder}b", b"")
        first, second = await subject.objects.list(folder)
        assert (first.size, second.size) == (3, 0)
        assert abs(first.last_modified - datetime.now(UTC)) < timedelta(hours=1)
        assert first.last_modified.utcoffset() == timedelta(0)

    async def test_a_thousand_objects_are_deleted_at_once(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        keys = [f"{folder}{number:04}" for number in range(1005)]
        for start in range(0, len(keys), 32):
            await asyncio.gather(*(subject.put(key, b"1") for key in keys[start : start + 32]))
        assert await listed(subject, folder) == keys[:1000]
        assert await listed(subject, folder, limit=1003) == keys[:1003]
        await subject.objects.delete(keys[:1000])
        assert await listed(subject, folder) == keys[1000:]


class SmallObjectSuite:
    """Tests of the promises of ``put`` and ``read``, for objects that the service itself writes."""

    async def test_an_object_is_written_with_its_metadata(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        metadata = {"kind": "set", "file-count": "2", "slot-name": "%D0%98 (2)"}
        for key in ("plain", *AWKWARD):
            await subject.objects.put(f"{folder}{key}", key.encode(), metadata)
            assert await subject.objects.read(f"{folder}{key}", 100) == key.encode(), key
            assert await subject.objects.describe(f"{folder}{key}") == metadata, key
        assert await subject.read(f"{folder}plain") == b"plain"

    async def test_a_written_object_is_replaced_with_its_metadata(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "list"
        for number in ("1", "22"):
            await subject.objects.put(key, number.encode(), {"n": number, f"only-{number}": ""})
        assert await subject.objects.read(key, 2) == b"22"
        assert await subject.objects.describe(key) == {"n": "22", "only-22": ""}

    async def test_written_objects_of_any_size_are_read(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "list"
        for size in (0, 1, 65_537, 3_000_001):
            await subject.objects.put(key, some_bytes(size), {})
            assert await subject.objects.read(key, size) == some_bytes(size)

    async def test_an_object_that_is_too_large_is_not_read(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "list"
        await subject.objects.put(key, b"12345", {})
        assert await subject.objects.read(key, 5) == b"12345"
        for max_bytes in (4, 0):
            with _raises(ObjectTooLarge):
                await subject.objects.read(key, max_bytes)
        with _raises(ValueError):
            await subject.objects.put(key, bytes(MAX_PUT_BYTES + 1), {})
        assert await subject.objects.read(key, 5) == b"12345"

    async def test_an_absent_object_is_not_read(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        await subject.objects.put(f"{folder}object/below", b"", {})
        assert await subject.objects.read(f"{folder}absent", 10) is None
        assert await subject.objects.read(f"{folder}object", 10) is None


class SignedRequestSuite:
    """Tests of the promises of ObjectSigner, from a client that tries more than its signed request allows."""

    async def test_an_upload_of_the_right_length_works_and_can_be_repeated(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for data in (b"first", b"again"):
            assert (await subject.send(request, data)).status == 200
            assert await subject.read(key) == data

    async def test_an_upload_of_another_length_is_refused(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for data in (b"", b"four", b"longer"):
            honest = {**request.headers, "Content-Length": str(len(data))}
            assert 400 <= (await subject.send(replace(request, headers=honest), data)).status < 500
        assert await subject.read(key) is None

    async def test_a_signed_upload_allows_one_key_and_one_method(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for other in (key + "2", new_folder() + "staged"):
            moved = replace(request, url=request.url.replace(key, other))
            assert (await subject.send(moved, b"bytes")).status == 403
            assert await subject.read(other) is None
        assert (await subject.send(request, b"bytes")).status == 200
        for method in ("GET", "HEAD", "DELETE", "POST"):
            assert 400 <= (await subject.send(SignedRequest(method, request.url, {}))).status < 500
        assert await subject.read(key) == b"bytes"

    async def test_an_upload_with_a_signed_hash_takes_no_other_bytes(self, subject: StoreUnderTest) -> None:
        needs(subject, "checksums")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60, hashlib.sha256(b"right").digest())
        assert 400 <= (await subject.send(request, b"wrong")).status < 500
        assert await subject.read(key) is None
        assert (await subject.send(request, b"right")).status == 200
        assert 400 <= (await subject.send(request, b"wrong")).status < 500
        assert await subject.read(key) == b"right"

    async def test_an_empty_file_is_uploaded_copied_and_digested(self, subject: StoreUnderTest) -> None:
        folder, sha256 = new_folder(), hashlib.sha256(b"").digest()
        for key, signed_hash in (("plain", None), ("hashed", sha256)):
            request = await subject.signer.sign_upload(f"{folder}{key}", 0, 60, signed_hash)
            assert (await subject.send(request)).status == 200, key
            assert await subject.objects.copy(f"{folder}{key}", f"{folder}to/{key}", {"part": "1"})
            assert await subject.objects.digest(f"{folder}to/{key}", 0) == Digest(0, sha256)

    async def test_a_signed_hash_can_be_neither_changed_nor_left_out(self, subject: StoreUnderTest) -> None:
        needs(subject, "checksums")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60, hashlib.sha256(b"right").digest())
        other = await subject.signer.sign_upload(key, 5, 60, hashlib.sha256(b"wrong").digest())
        plain = {"Content-Length": "5"}
        for headers in (other.headers, plain):
            assert 400 <= (await subject.send(replace(request, headers=headers), b"wrong")).status < 500
        assert await subject.read(key) is None

    async def test_a_request_that_was_changed_is_refused(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for url in (changed(request.url), request.url.partition("?")[0], request.url + "&more=1"):
            assert (await subject.send(replace(request, url=url), b"bytes")).status == 403, url
        assert await subject.read(key) is None

    async def test_a_request_expires(self, subject: StoreUnderTest) -> None:
        needs(subject, "expiry")
        key = new_folder() + "staged"
        upload = await subject.signer.sign_upload(key, 5, 1)
        download = await subject.signer.sign_download(key, 1, "save")
        await subject.put(key, b"bytes")
        await subject.wait(3)
        assert (await subject.send(upload, b"later")).status == 403
        assert (await subject.send(download)).status == 403
        assert await subject.read(key) == b"bytes"

    async def test_a_download_has_the_bytes_or_a_range_of_them(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "Игра/a b+c%20"
        data = some_bytes(100_000)
        await subject.put(key, data)
        request = await subject.signer.sign_download(key, 60, "save.sav")
        answer = await subject.send(request)
        assert (answer.status, answer.body) == (200, data)
        part = await subject.send(replace(request, headers={**request.headers, "Range": "bytes=70000-70009"}))
        assert (part.status, part.body) == (206, data[70_000:70_010])

    async def test_a_download_names_the_file(self, subject: StoreUnderTest) -> None:
        key = new_folder() + "object"
        await subject.put(key, b"bytes")
        for name in ("save.sav", 'Слот "1"; a=b, 50%\r\nX: y/\\.sav', "Я" * 255):
            answer = await subject.send(await subject.signer.sign_download(key, 60, name))
            assert answer.status == 200
            disposition = answer.headers["content-disposition"]
            assert disposition.startswith("attachment;")
            assert disposition.endswith(f"filename*=UTF-8''{quote(name, safe='')}")
            assert "x" not in answer.headers

    async def test_a_signed_download_allows_one_key_and_one_method(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        folder = new_folder()
        await subject.put(f"{folder}own", b"bytes")
        await subject.put(f"{folder}foreign", b"secret")
        request = await subject.signer.sign_download(f"{folder}own", 60, "save.sav")
        moved = replace(request, url=request.url.replace(f"{folder}own", f"{folder}foreign"))
        assert (await subject.send(moved)).status == 403
        assert (await subject.send(replace(request, url=changed(request.url)))).status == 403
        for method, body in (("PUT", b"other"), ("DELETE", b""), ("POST", b"")):
            assert 400 <= (await subject.send(SignedRequest(method, request.url, {}), body)).status < 500
        assert await subject.read(f"{folder}own") == b"bytes"

    async def test_a_download_of_an_absent_object_is_not_found(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        request = await subject.signer.sign_download(new_folder() + "absent", 60, "save.sav")
        assert (await subject.send(request)).status == 404


@contextmanager
def _raises(expected: type[Exception]) -> Iterator[None]:
    """As pytest has it, which this module does not import."""
    try:
        yield
    except expected:
        return
    raise AssertionError(f"{expected.__name__} was not raised")


def new_folder() -> str:
    """Returns a prefix of keys that no other test uses."""
    return f"{uuid4()}/"


def some_bytes(size: int) -> bytes:
    """Returns bytes of which no two parts of 64 KiB are equal."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


async def listed(subject: StoreUnderTest, prefix: str, after: str = "", limit: int = 1000) -> list[str]:
    """Returns the keys of a listing."""
    return [found.key for found in await subject.objects.list(prefix, after, limit)]


def changed(url: str) -> str:
    """Returns the URL with another last digit of its signature."""
    before, name, rest = url.rpartition("ignature=")
    digest, separator, after = rest.partition("&")
    return before + name + digest[:-1] + ("0" if digest[-1] != "0" else "1") + separator + after


def needs(subject: StoreUnderTest, ability: str) -> None:
    """Skips the test, with the reason of the subject, where the store lacks a feature."""
    if ability in subject.skips:
        raise SkipTest(subject.skips[ability])
