"""The suite of multipart uploads, which every implementation of the ports of the object store has to pass."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from gameshelf.savegames._ports import Digest, SignedRequest, StoredPart
from gameshelf.savegames.conformance import Answer, StoreUnderTest, needs, new_folder, some_bytes

PART_BYTES = 5 * 1024**2
"""The smallest part that S3 allows, except for the last one."""
_SHORT = 1000


class MultipartSuite:
    """Tests of the promises about multipart uploads. They may share a store: each uses a folder of its own."""

    async def test_parts_arrive_in_any_order_and_may_be_repeated(self, subject: StoreUnderTest) -> None:
        upload = await _Upload.begin(subject, new_folder() + "incoming/Игра/слот", 2 * PART_BYTES + _SHORT)
        for number in (3, 1, 3, 2, 1):
            assert (await upload.send(number)).status == 200
        assert await subject.read(upload.key) is None
        assert await upload.complete()
        assert await subject.read(upload.key) == upload.data

    async def test_a_listing_of_parts_says_what_has_arrived(self, subject: StoreUnderTest) -> None:
        upload = await _Upload.begin(subject, new_folder() + "incoming", 2 * PART_BYTES + _SHORT)
        assert await upload.arrived() == []
        for number, arrived in ((3, [(3, _SHORT)]), (1, [(1, PART_BYTES), (3, _SHORT)])):
            await upload.send(number)
            assert await upload.arrived() == arrived

    async def test_an_upload_completes_once_and_may_be_repeated(self, subject: StoreUnderTest) -> None:
        upload = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        await upload.send(1)
        parts = await subject.objects.parts(upload.key, upload.id) or ()
        for _ in range(2):
            assert await subject.objects.complete_parts(upload.key, upload.id, parts)
            assert await subject.objects.parts(upload.key, upload.id) is None
        assert await subject.objects.digest(upload.key, _SHORT) == Digest(_SHORT, _sha256(upload.data))

    async def test_an_aborted_upload_leaves_nothing(self, subject: StoreUnderTest) -> None:
        needs(subject, "multiparts")
        upload = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        await upload.send(1)
        parts = await subject.objects.parts(upload.key, upload.id) or ()
        for _ in range(2):
            await subject.objects.abort_parts(upload.key, upload.id)
            assert await subject.objects.parts(upload.key, upload.id) is None
        assert not await subject.objects.complete_parts(upload.key, upload.id, parts)
        assert await subject.read(upload.key) is None
        assert await subject.objects.open_parts(upload.key) == []

    async def test_an_unknown_upload_is_not_open(self, subject: StoreUnderTest) -> None:
        needs(subject, "multiparts")
        other = await _Upload.begin(subject, new_folder() + "other", _SHORT)
        await subject.objects.abort_parts(other.key, other.id)
        key = new_folder() + "incoming"
        assert await subject.objects.parts(key, other.id) is None
        assert not await subject.objects.complete_parts(key, other.id, [StoredPart(1, 1, '"e"')])
        await subject.objects.abort_parts(key, other.id)

    async def test_a_part_after_the_end_changes_nothing(self, subject: StoreUnderTest) -> None:
        needs(subject, "multiparts")
        completed = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        await completed.send(1)
        await completed.complete()
        aborted = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        await subject.objects.abort_parts(aborted.key, aborted.id)
        for upload in (completed, aborted):
            assert 400 <= (await upload.send(1)).status < 500
        assert await subject.read(completed.key) == completed.data
        assert await subject.read(aborted.key) is None

    async def test_a_part_with_other_bytes_is_refused(self, subject: StoreUnderTest) -> None:
        needs(subject, "checksums")
        upload = await _Upload.begin(subject, new_folder() + "incoming", PART_BYTES + _SHORT)
        assert 400 <= (await upload.send(2, b"z" * _SHORT)).status < 500
        assert await upload.arrived() == []
        await upload.send(2)
        assert 400 <= (await upload.send(2, b"z" * _SHORT)).status < 500
        await upload.send(1)
        assert await upload.complete()
        assert await subject.read(upload.key) == upload.data

    async def test_a_part_of_another_length_is_refused(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        upload = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        request = await upload.sign(1)
        for data in (b"", upload.data[:-1], upload.data + b"more"):
            honest = {**request.headers, "Content-Length": str(len(data))}
            assert 400 <= (await subject.send(replace(request, headers=honest), data)).status < 500
        assert await upload.arrived() == []

    async def test_a_signed_part_allows_one_number_of_one_upload(self, subject: StoreUnderTest) -> None:
        needs(subject, "signatures")
        upload = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        other = await _Upload.begin(subject, upload.key + "2", _SHORT)
        request = await upload.sign(1)
        ids = (quote(upload.id, safe=""), quote(other.id, safe=""))
        moved = (("partNumber=1", "partNumber=2"), ids, (upload.key, other.key))
        for before, after in moved:
            assert before in request.url
            changed = replace(request, url=request.url.replace(before, after))
            assert 400 <= (await subject.send(changed, upload.data)).status < 500
        assert await upload.arrived() == await other.arrived() == []

    async def test_a_signed_part_expires(self, subject: StoreUnderTest) -> None:
        needs(subject, "expiry")
        upload = await _Upload.begin(subject, new_folder() + "incoming", _SHORT)
        request = await upload.sign(1, seconds=1)
        await subject.wait(3)
        assert (await subject.send(request, upload.data)).status == 403
        assert await upload.arrived() == []

    async def test_an_object_of_parts_is_digested_and_copied(self, subject: StoreUnderTest) -> None:
        upload = await _Upload.begin(subject, new_folder() + "incoming", 20_000_000, part_bytes=8 * 1024**2)
        await asyncio.gather(*(upload.send(number) for number in (1, 2, 3)))
        assert await upload.complete()
        digest, metadata = Digest(20_000_000, _sha256(upload.data)), {"part": "1", "slot-name": "%D0%98"}
        assert await subject.objects.digest(upload.key, 20_000_000) == digest
        target = upload.key + "-copied"  # larger than the subject copies at once, if it has such a limit
        assert await subject.objects.copy(upload.key, target, metadata, 20_000_000)
        assert await subject.objects.digest(target, 20_000_000) == digest
        assert await subject.objects.describe(target) == metadata

    async def test_an_absent_large_object_is_not_copied(self, subject: StoreUnderTest) -> None:
        folder = new_folder()
        assert not await subject.objects.copy(f"{folder}absent", f"{folder}target", {}, 20_000_000)
        assert await subject.read(f"{folder}target") is None
        assert await subject.objects.open_parts(folder) == []

    async def test_open_uploads_are_listed_by_prefix_in_order_of_keys(self, subject: StoreUnderTest) -> None:
        needs(subject, "multiparts")
        folder = new_folder()
        names = ("b/1", "a/2", "a/10", "c", "a/Игра", "a/1")
        begun = {f"{folder}{name}": await subject.objects.begin_parts(f"{folder}{name}") for name in names}
        keys = sorted(begun, key=str.encode)
        for prefix in ("", "a/", "a/1", "b/1", "none"):
            matching = [key for key in keys if key.startswith(folder + prefix)]
            for after in ("", folder, *keys, f"{folder}a0", "\uffff"):
                beyond = [key for key in matching if key > after]
                found = await subject.objects.open_parts(folder + prefix, after)
                assert [one.key for one in found] == beyond, (prefix, after)
                assert {one.key: one.multipart_id for one in found} == {key: begun[key] for key in beyond}
        for one in await subject.objects.open_parts(folder):
            assert abs(one.started_at - datetime.now(UTC)) < timedelta(hours=1)
            assert one.started_at.utcoffset() == timedelta(0)

    async def test_open_uploads_have_pages_of_the_given_size(self, subject: StoreUnderTest) -> None:
        needs(subject, "multiparts")
        folder = new_folder()
        keys = [f"{folder}{number}" for number in range(7)]
        for key in reversed(keys):
            await subject.objects.begin_parts(key)
        for limit in (1, 3, 7):
            found: list[str] = []
            while page := await subject.objects.open_parts(folder, found[-1] if found else "", limit):
                assert len(page) == min(limit, len(keys) - len(found))
                found += [one.key for one in page]
            assert found == keys


class _Upload:
    """A multipart upload of some bytes, with the requests that a client sends."""

    def __init__(self, subject: StoreUnderTest, key: str, multipart_id: str, data: bytes, part_bytes: int) -> None:
        self._subject = subject
        self._part_bytes = part_bytes
        self.key = key
        self.id = multipart_id
        self.data = data

    @classmethod
    async def begin(cls, subject: StoreUnderTest, key: str, size: int, part_bytes: int = PART_BYTES) -> "_Upload":
        return cls(subject, key, await subject.objects.begin_parts(key), some_bytes(size), part_bytes)

    async def sign(self, number: int, seconds: int = 60) -> SignedRequest:
        part = self._part(number)
        return await self._subject.signer.sign_part(self.key, self.id, number, len(part), seconds, _sha256(part))

    async def send(self, number: int, data: bytes | None = None) -> Answer:
        return await self._subject.send(await self.sign(number), self._part(number) if data is None else data)

    async def arrived(self) -> list[tuple[int, int]]:
        return [(part.number, part.size) for part in await self._subject.objects.parts(self.key, self.id) or ()]

    async def complete(self) -> bool:
        parts = await self._subject.objects.parts(self.key, self.id) or ()
        return await self._subject.objects.complete_parts(self.key, self.id, parts)

    def _part(self, number: int) -> bytes:
        return self.data[(number - 1) * self._part_bytes : number * self._part_bytes]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
