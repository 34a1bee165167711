"""What a store of saves has to pass: suites of tests over whatever answers the ports.

A store passes when ``class TestObjects(ObjectStoreSuite)`` and ``class TestSignedRequests(SignedRequestSuite)`` do, in
a test module with a fixture ``subject`` of the type ``Subject``. Nothing here needs pytest to be imported.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from unittest import SkipTest
from urllib.parse import quote
from uuid import uuid4

from gameshelf.savegames.ports import Digest, ObjectSigner, ObjectStore, SignedRequest


@dataclass(frozen=True, slots=True)
class Answer:
    """What a store answers to a signed request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""


class Subject(Protocol):
    """A store as the suites see it: its ports, and ways around them."""

    @property
    def objects(self) -> ObjectStore: ...

    @property
    def signer(self) -> ObjectSigner: ...

    @property
    def skips(self) -> Mapping[str, str]:
        """What this store can't do, and why: ``signatures`` (it looks at them as S3 does) or ``expiry`` of requests."""
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Puts an object there."""
        ...

    async def read(self, key: str) -> bytes | None:
        """An object's bytes; None when there is none."""
        ...

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """An object's own metadata; None when there is none."""
        ...

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        """Sends the request with just these headers, without following or repeating anything."""
        ...

    async def wait(self, seconds: int) -> None:
        """Lets time pass."""
        ...


# Around "/", which sorts after "!", "-" and "." and before the digits.
_SLASHES = ("a!", "a-b", "a.b/c", "a/b-c", "a/b.c", "a/b/c", "a/b0", "a/bc/d", "a/z", "a0", "ab", "b/1/2/3", "b/1/2-3")
# What URLs and XML write in another way.
_ESCAPED = ("a b/c", "a+b", "a%20b", "a&b", "a<b", "~1f/x", "a=b", "a'b", "Z", "Игра/слот", "é", "😀", "a/я", "\ufffd")
AWKWARD = (*_SLASHES, *_ESCAPED, "b/10")
"""Keys, none of them below another one: a store over files could not have both."""


class ObjectStoreSuite:
    """What ObjectStore promises. The tests may share a store: each has a folder of its own."""

    async def test_a_copy_has_the_bytes_and_the_metadata_that_were_asked_for(self, subject: Subject) -> None:
        folder = new_folder()
        metadata = {"user": str(uuid4()), "slot": "quick save", "version": "12"}
        await subject.put(f"{folder}source", b"bytes")
        assert await subject.objects.copy(f"{folder}source", f"{folder}to/target", metadata)
        assert await subject.read(f"{folder}to/target") == b"bytes"
        assert await subject.metadata(f"{folder}to/target") == metadata
        assert await subject.read(f"{folder}source") == b"bytes"

    async def test_a_copy_of_nothing_is_told_and_changes_nothing(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}kept", b"kept")
        assert not await subject.objects.copy(f"{folder}absent", f"{folder}target", {})
        assert not await subject.objects.copy(f"{folder}absent", f"{folder}kept", {})
        assert await listed(subject, folder) == [f"{folder}kept"]
        assert await subject.read(f"{folder}kept") == b"kept"

    async def test_a_copy_takes_the_place_of_what_stood_there_with_its_metadata(self, subject: Subject) -> None:
        folder = new_folder()
        for number in ("1", "22"):
            await subject.put(f"{folder}source", number.encode())
            assert await subject.objects.copy(f"{folder}source", f"{folder}target", {"n": number, f"only-{number}": ""})
        assert await subject.read(f"{folder}target") == b"22"
        assert await subject.metadata(f"{folder}target") == {"n": "22", "only-22": ""}

    async def test_an_object_is_described_as_its_copy_was_told(self, subject: Subject) -> None:
        folder = new_folder()
        metadata = {"user-id": str(uuid4()), "slot-name": "%D0%98 (2)", "parent-version": "0"}
        await subject.put(f"{folder}source", b"bytes")
        for key in ("plain", *AWKWARD):
            assert await subject.objects.copy(f"{folder}source", f"{folder}to/{key}", metadata)
            assert await subject.objects.describe(f"{folder}to/{key}") == metadata, key
        assert await subject.objects.describe(f"{folder}source") == {}

    async def test_what_is_absent_has_no_description(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}object/below", b"")
        assert await subject.objects.describe(f"{folder}absent") is None
        assert await subject.objects.describe(f"{folder}object") is None

    async def test_what_becomes_of_the_source_is_nothing_to_the_copy(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}source", b"first")
        await subject.objects.copy(f"{folder}source", f"{folder}target", {})
        await subject.put(f"{folder}source", b"second")
        await subject.objects.delete([f"{folder}source"])
        assert await subject.read(f"{folder}target") == b"first"

    async def test_a_copy_made_during_an_upload_is_of_one_moment(self, subject: Subject) -> None:
        folder = new_folder()
        contents = [bytes([letter]) * 300_000 for letter in b"AB"]
        await subject.put(f"{folder}source", contents[0])
        for number in range(20):
            upload = subject.put(f"{folder}source", contents[number % 2])
            await asyncio.gather(upload, subject.objects.copy(f"{folder}source", f"{folder}{number}", {}))
            found = await subject.objects.digest(f"{folder}{number}", 300_000)
            assert found in [Digest(300_000, hashlib.sha256(content).digest()) for content in contents]

    async def test_bytes_are_digested_whatever_their_number(self, subject: Subject) -> None:
        key = new_folder() + "object"
        for size in (0, 1, 65_535, 65_536, 65_537, 3_000_001):
            data = some_bytes(size)
            await subject.put(key, data)
            assert await subject.objects.digest(key, size) == Digest(size, hashlib.sha256(data).digest())

    async def test_an_object_of_another_size_has_its_size_told(self, subject: Subject) -> None:
        key = new_folder() + "object"
        await subject.put(key, b"12345")
        for size in (0, 4, 6):
            assert await subject.objects.digest(key, size) == Digest(5, None)

    async def test_an_absent_object_has_no_digest(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}object/below", b"")
        assert await subject.objects.digest(f"{folder}absent", 0) is None
        assert await subject.objects.digest(f"{folder}object", 0) is None

    async def test_the_deleted_are_gone_and_their_neighbours_stay(self, subject: Subject) -> None:
        folder = new_folder()
        kept = [f"{folder}object0", f"{folder}other/0", f"{folder}0"]
        gone = [f"{folder}object", f"{folder}other/object", f"{folder}alone/object"]
        for key in (*kept, *gone):
            await subject.put(key, b"")
        await subject.objects.delete([*gone, f"{folder}absent", f"{folder}no/such/folder"])
        assert await listed(subject, folder) == sorted(kept)
        assert await subject.objects.digest(gone[0], 0) is None

    async def test_deleting_again_or_nothing_is_no_error_and_a_key_can_be_used_again(self, subject: Subject) -> None:
        key = new_folder() + "object"
        await subject.objects.delete([])
        for content in (b"one", b"two"):
            await subject.put(key, content)
            assert await subject.read(key) == content
            await subject.objects.delete([key, key])
            await subject.objects.delete([key])
            assert await subject.read(key) is None

    async def test_any_key_can_be_copied_to_digested_and_deleted(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}source", b"12")
        for key in AWKWARD:
            assert await subject.objects.copy(f"{folder}source", f"{folder}{key}", {"key": "there"}), key
            assert await subject.objects.copy(f"{folder}{key}", f"{folder}back", {}), key
            assert await subject.objects.digest(f"{folder}{key}", 3) == Digest(2, None)
        await subject.objects.delete([f"{folder}{key}" for key in AWKWARD])
        assert await listed(subject, folder) == [f"{folder}back", f"{folder}source"]

    async def test_a_listing_is_in_the_order_of_bytes_and_goes_on_after_any_key(self, subject: Subject) -> None:
        folder = new_folder()
        keys = sorted((folder + key for key in AWKWARD), key=str.encode)
        for key in reversed(keys):
            await subject.put(key, b"")
        for prefix in ("", "a", "a/", "a/b", "b/1", "none"):
            wanted = [key for key in keys if key.startswith(folder + prefix)]
            assert await listed(subject, folder + prefix) == wanted
            for after in (*keys, f"{folder}a", f"{folder}a/", f"{folder}a/b/", f"{folder}b/1", folder, "", "\uffff"):
                beyond = [key for key in wanted if key.encode() > after.encode()]
                assert await listed(subject, folder + prefix, after) == beyond, (prefix, after)

    async def test_a_listing_comes_in_pages_of_the_size_that_is_asked_for(self, subject: Subject) -> None:
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

    async def test_a_listing_tells_sizes_and_times(self, subject: Subject) -> None:
        folder = new_folder()
        await subject.put(f"{folder}a", b"123")
        await subject.put(f"{folder}b", b"")
        first, second = await subject.objects.list(folder)
        assert (first.size, second.size) == (3, 0)
        assert abs(first.last_modified - datetime.now(UTC)) < timedelta(hours=1)
        assert first.last_modified.utcoffset() == timedelta(0)

    async def test_a_thousand_objects_are_deleted_at_once_and_more_are_listed(self, subject: Subject) -> None:
        folder = new_folder()
        keys = [f"{folder}{number:04}" for number in range(1005)]
        for start in range(0, len(keys), 32):
            await asyncio.gather(*(subject.put(key, b"1") for key in keys[start : start + 32]))
        assert await listed(subject, folder) == keys[:1000]
        assert await listed(subject, folder, limit=1003) == keys[:1003]
        await subject.objects.delete(keys[:1000])
        assert await listed(subject, folder) == keys[1000:]


class SignedRequestSuite:
    """What ObjectSigner promises, as a client sees it that holds a request and tries more than it was given for."""

    async def test_an_upload_of_the_right_length_works_and_again(self, subject: Subject) -> None:
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for data in (b"first", b"again"):
            assert (await subject.send(request, data)).status == 200
            assert await subject.read(key) == data

    async def test_an_upload_of_another_length_is_refused(self, subject: Subject) -> None:
        needs(subject, "signatures")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for data in (b"", b"four", b"longer"):
            honest = {**request.headers, "Content-Length": str(len(data))}
            assert 400 <= (await subject.send(replace(request, headers=honest), data)).status < 500
        assert await subject.read(key) is None

    async def test_an_upload_is_for_one_key_and_nothing_but_an_upload(self, subject: Subject) -> None:
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

    async def test_a_request_that_was_touched_is_refused(self, subject: Subject) -> None:
        needs(subject, "signatures")
        key = new_folder() + "staged"
        request = await subject.signer.sign_upload(key, 5, 60)
        for url in (touched(request.url), request.url.partition("?")[0], request.url + "&more=1"):
            assert (await subject.send(replace(request, url=url), b"bytes")).status == 403, url
        assert await subject.read(key) is None

    async def test_a_request_runs_out(self, subject: Subject) -> None:
        needs(subject, "expiry")
        key = new_folder() + "staged"
        upload = await subject.signer.sign_upload(key, 5, 1)
        download = await subject.signer.sign_download(key, 1, "save")
        await subject.put(key, b"bytes")
        await subject.wait(3)
        assert (await subject.send(upload, b"later")).status == 403
        assert (await subject.send(download)).status == 403
        assert await subject.read(key) == b"bytes"

    async def test_a_download_brings_the_very_bytes_and_a_part_of_them(self, subject: Subject) -> None:
        key = new_folder() + "Игра/a b+c%20"
        data = some_bytes(100_000)
        await subject.put(key, data)
        request = await subject.signer.sign_download(key, 60, "save.sav")
        answer = await subject.send(request)
        assert (answer.status, answer.body) == (200, data)
        part = await subject.send(replace(request, headers={**request.headers, "Range": "bytes=70000-70009"}))
        assert (part.status, part.body) == (206, data[70_000:70_010])

    async def test_a_download_says_under_which_name_to_keep_it(self, subject: Subject) -> None:
        key = new_folder() + "object"
        await subject.put(key, b"bytes")
        for name in ("save.sav", 'Слот "1"; a=b, 50%\r\nX: y/\\.sav', "Я" * 255):
            answer = await subject.send(await subject.signer.sign_download(key, 60, name))
            assert answer.status == 200
            disposition = answer.headers["content-disposition"]
            assert disposition.startswith("attachment;")
            assert disposition.endswith(f"filename*=UTF-8''{quote(name, safe='')}")
            assert "x" not in answer.headers

    async def test_a_download_is_of_one_key_and_nothing_but_a_download(self, subject: Subject) -> None:
        needs(subject, "signatures")
        folder = new_folder()
        await subject.put(f"{folder}own", b"bytes")
        await subject.put(f"{folder}foreign", b"secret")
        request = await subject.signer.sign_download(f"{folder}own", 60, "save.sav")
        moved = replace(request, url=request.url.replace(f"{folder}own", f"{folder}foreign"))
        assert (await subject.send(moved)).status == 403
        assert (await subject.send(replace(request, url=touched(request.url)))).status == 403
        for method, body in (("PUT", b"other"), ("DELETE", b""), ("POST", b"")):
            assert 400 <= (await subject.send(SignedRequest(method, request.url, {}), body)).status < 500
        assert await subject.read(f"{folder}own") == b"bytes"

    async def test_a_download_of_nothing_is_not_found(self, subject: Subject) -> None:
        needs(subject, "signatures")
        request = await subject.signer.sign_download(new_folder() + "absent", 60, "save.sav")
        assert (await subject.send(request)).status == 404


def new_folder() -> str:
    """A beginning of keys that nobody else uses."""
    return f"{uuid4()}/"


def some_bytes(size: int) -> bytes:
    """Of which no two parts of 64 KiB are the same."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


async def listed(subject: Subject, prefix: str, after: str = "", limit: int = 1000) -> list[str]:
    """The keys of a listing."""
    return [found.key for found in await subject.objects.list(prefix, after, limit)]


def touched(url: str) -> str:
    """The same URL with another last digit of its signature."""
    before, name, rest = url.rpartition("ignature=")
    digest, separator, after = rest.partition("&")
    return before + name + digest[:-1] + ("0" if digest[-1] != "0" else "1") + separator + after


def needs(subject: Subject, ability: str) -> None:
    """Skips the test, with the reason that the subject gives, where the store can't do this."""
    if ability in subject.skips:
        raise SkipTest(subject.skips[ability])
