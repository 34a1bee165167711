"""Tools for tests: an object store in memory, and the suites that every store has to pass.

The suites are exported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote
from uuid import uuid4

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.savegames._multipart_suites import MultipartSuite
from gameshelf.savegames._ports import (
    MAX_PUT_BYTES,
    Digest,
    ObjectSigner,
    ObjectStore,
    ObjectTooLarge,
    OpenMultipart,
    Packing,
    SignedRequest,
    StoredObject,
    StoredPart,
    StoreUnavailable,
)
from gameshelf.savegames._unpacking import Unpacking
from gameshelf.savegames.conformance import (
    Answer,
    ObjectStoreSuite,
    SignedRequestSuite,
    SmallObjectSuite,
    StoreUnderTest,
)

__all__ = [
    "Answer",
    "MemoryStore",
    "MemorySubject",
    "MultipartSuite",
    "ObjectStoreSuite",
    "SignedRequestSuite",
    "SmallObjectSuite",
    "StoreUnderTest",
]

_HASH_HEADER = "x-amz-content-sha256"


class MemoryStore(ObjectSigner, ObjectStore):
    """An object store in memory that implements both ports. ``send`` does what a client does with a signed request."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.away = False
        """Whether every method of ObjectStore raises StoreUnavailable."""
        self._clock = clock
        self._objects: dict[str, _Object] = {}
        self._signed: dict[str, _Signed] = {}
        self._multiparts: dict[str, _Multipart] = {}

    def upload(self, key: str, data: bytes) -> None:
        """Stores an object, as a client's upload does."""
        self._objects[key] = _Object(data, {}, self._clock())

    def content(self, key: str) -> bytes | None:
        """Returns an object's bytes, also while the store is away; None when there is no object."""
        found = self._objects.get(key)
        return found.data if found else None

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """Returns the metadata that ``copy`` or ``put`` wrote; None when there is no object."""
        found = self._objects.get(key)
        return found.metadata if found else None

    @property
    def keys(self) -> Sequence[str]:
        """All keys, sorted."""
        return sorted(self._objects)

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        """Sends a signed request, whole and with its headers, as a client would over HTTP."""
        signed = self._signed.get(request.url)
        headers_sent = {name.lower(): value for name, value in request.headers.items()}
        if signed is None or request.method != signed.method or self._clock() > signed.until:
            return Answer(403)
        if signed.method == "PUT":
            if not int(headers_sent.get("content-length", -1)) == signed.size == len(body):
                return Answer(403)
            return self._receive(signed, headers_sent, body)
        data = self.content(signed.key)
        if data is None:
            return Answer(404)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(signed.file_name, safe='')}"}
        if "range" not in headers_sent:
            return Answer(200, data, headers)
        first, _, last = headers_sent["range"].removeprefix("bytes=").partition("-")
        return Answer(206, data[int(first) : int(last) + 1], headers)

    async def sign_upload(self, key: str, size: int, seconds: int, sha256: bytes | None = None) -> SignedRequest:
        return self._sign_put(_Signed("PUT", key, self._until(seconds), size, sha256=sha256))

    async def sign_part(
        self, key: str, multipart_id: str, number: int, size: int, seconds: int, sha256: bytes
    ) -> SignedRequest:
        part = (multipart_id, number)
        return self._sign_put(_Signed("PUT", key, self._until(seconds), size, sha256=sha256, part=part))

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        return self._sign(_Signed("GET", key, self._until(seconds), file_name=file_name), {})

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        self._answer()
        if found := self._objects.get(source):
            self._objects[target] = _Object(found.data, dict(metadata), self._clock())
        return found is not None

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        self._answer()
        data = self.content(key)
        if data is None:
            return None
        if len(data) != size:
            return Digest(len(data), None)
        unpacking = Unpacking(packing) if packing else None
        for _ in unpacking.feed(data) if unpacking else ():
            pass
        return Digest(len(data), sha256(data).digest(), *(unpacking.result() if unpacking else ()))

    async def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        if len(data) > MAX_PUT_BYTES:
            raise ValueError(f"an object of {len(data)} bytes is too large to be written at once")
        self._answer()
        self._objects[key] = _Object(data, dict(metadata), self._clock())

    async def read(self, key: str, max_bytes: int) -> bytes | None:
        self._answer()
        data = self.content(key)
        if data is not None and len(data) > max_bytes:
            raise ObjectTooLarge(f"an object of {len(data)} bytes; {max_bytes} are allowed")
        return data

    async def describe(self, key: str) -> Mapping[str, str] | None:
        self._answer()
        return self.metadata(key)

    async def delete(self, keys: Sequence[str]) -> None:
        self._answer()
        for key in keys:
            self._objects.pop(key, None)

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        self._answer()
        found = [key for key in self.keys if key.startswith(prefix) and key > after][:limit]
        return [StoredObject(key, len(self._objects[key].data), self._objects[key].written_at) for key in found]

    async def begin_parts(self, key: str) -> str:
        self._answer()
        multipart_id = uuid4().hex
        self._multiparts[multipart_id] = _Multipart(key, self._clock(), {})
        return multipart_id

    async def parts(self, key: str, multipart_id: str) -> Sequence[StoredPart] | None:
        self._answer()
        found = self._multipart(key, multipart_id)
        if found is None:
            return None
        return [
            StoredPart(number, len(data), sha256(data).hexdigest()) for number, data in sorted(found.received.items())
        ]

    async def complete_parts(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> bool:
        if not parts:
            raise ValueError("an object has one part at least")
        self._answer()
        found, arrived = self._multipart(key, multipart_id), await self.parts(key, multipart_id) or ()
        if found is None or not {*parts} <= {*arrived}:
            return key in self._objects
        self.upload(key, b"".join(found.received[part.number] for part in parts))
        del self._multiparts[multipart_id]
        return True

    async def abort_parts(self, key: str, multipart_id: str) -> None:
        self._answer()
        if self._multipart(key, multipart_id):
            del self._multiparts[multipart_id]

    async def open_parts(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[OpenMultipart]:
        self._answer()
        found = [
            OpenMultipart(one.key, multipart_id, one.started_at)
            for multipart_id, one in self._multiparts.items()
            if one.key.startswith(prefix) and one.key > after
        ]
        return sorted(found, key=lambda one: (one.key, one.multipart_id))[:limit]

    def _multipart(self, key: str, multipart_id: str) -> "_Multipart | None":
        found = self._multiparts.get(multipart_id)
        return found if found and found.key == key else None

    def _receive(self, signed: "_Signed", headers: Mapping[str, str], body: bytes) -> Answer:
        if signed.sha256 is not None:
            if headers.get(_HASH_HEADER) != signed.sha256.hex():
                return Answer(403)
            if sha256(body).digest() != signed.sha256:
                return Answer(400)
        if signed.part is None:
            self.upload(signed.key, body)
            return Answer(200)
        multipart_id, number = signed.part
        found = self._multipart(signed.key, multipart_id)
        if found is None:
            return Answer(404)
        found.received[number] = body
        return Answer(200)

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("it is away")

    def _until(self, seconds: int) -> datetime:
        return self._clock() + timedelta(seconds=seconds)

    def _sign_put(self, signed: "_Signed") -> SignedRequest:
        headers = {"Content-Length": str(signed.size)}
        if signed.sha256 is not None:
            headers[_HASH_HEADER] = signed.sha256.hex()
        return self._sign(signed, headers)

    def _sign(self, signed: "_Signed", headers: Mapping[str, str]) -> SignedRequest:
        part = "partNumber={1}&uploadId={0}&".format(*signed.part) if signed.part else ""
        url = f"memory://store/{quote(signed.key)}?{part}signature={uuid4().hex}"
        self._signed[url] = signed
        return SignedRequest(signed.method, url, headers)


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    metadata: Mapping[str, str]
    written_at: datetime


@dataclass(frozen=True, slots=True)
class _Multipart:
    key: str
    started_at: datetime
    received: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class _Signed:
    method: str
    key: str
    until: datetime
    size: int = 0
    file_name: str = ""
    sha256: bytes | None = None
    part: tuple[str, int] | None = None
    """The id of the multipart upload and the number of the part; None: a whole object."""


class MemorySubject:
    """A MemoryStore for the suites. Its clock is advanced without waiting."""

    skips: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._now = datetime.now(UTC)
        self.objects = self.signer = self._store = MemoryStore(lambda: self._now)

    async def put(self, key: str, data: bytes) -> None:
        self._store.upload(key, data)

    async def read(self, key: str) -> bytes | None:
        return self._store.content(key)

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        return self._store.metadata(key)

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        return await self._store.send(request, body)

    async def wait(self, seconds: int) -> None:
        self._now += timedelta(seconds=seconds)
