"""Tools for tests: an object store in memory, and the suites that every store has to pass.

The suites are defined in ``conformance`` and exported here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.savegames._ports import (
    Digest,
    ObjectSigner,
    ObjectStore,
    Packing,
    SignedRequest,
    StoredObject,
    StoreUnavailable,
)
from gameshelf.savegames._unpacking import Unpacking
from gameshelf.savegames.conformance import Answer, ObjectStoreSuite, SignedRequestSuite, StoreUnderTest

__all__ = ["Answer", "MemoryStore", "MemorySubject", "ObjectStoreSuite", "SignedRequestSuite", "StoreUnderTest"]


class MemoryStore(ObjectSigner, ObjectStore):
    """An object store in memory that implements both ports. ``send`` does what a client does with a signed request."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.away = False
        """Whether every method of ObjectStore raises StoreUnavailable."""
        self._clock = clock
        self._objects: dict[str, _Object] = {}
        self._signed: dict[str, _Signed] = {}

    def put(self, key: str, data: bytes) -> None:
        """Stores an object, as a client's upload does."""
        self._objects[key] = _Object(data, {}, self._clock())

    def read(self, key: str) -> bytes | None:
        """Returns an object's bytes; None when there is no object."""
        found = self._objects.get(key)
        return found.data if found else None

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """Returns the metadata that ``copy`` wrote; None when there is no object."""
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
            self.put(signed.key, body)
            return Answer(200)
        data = self.read(signed.key)
        if data is None:
            return Answer(404)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(signed.file_name, safe='')}"}
        if "range" not in headers_sent:
            return Answer(200, data, headers)
        first, _, last = headers_sent["range"].removeprefix("bytes=").partition("-")
        return Answer(206, data[int(first) : int(last) + 1], headers)

    async def sign_upload(self, key: str, size: int, seconds: int) -> SignedRequest:
        return self._sign(_Signed("PUT", key, self._until(seconds), size), {"Content-Length": str(size)})

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        return self._sign(_Signed("GET", key, self._until(seconds), file_name=file_name), {})

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        self._answer()
        if found := self._objects.get(source):
            self._objects[target] = _Object(found.data, dict(metadata), self._clock())
        return found is not None

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        self._answer()
        data = self.read(key)
        if data is None:
            return None
        if len(data) != size:
            return Digest(len(data), None)
        unpacking = Unpacking(packing) if packing else None
        for _ in unpacking.feed(data) if unpacking else ():
            pass
        return Digest(len(data), hashlib.sha256(data).digest(), *(unpacking.result() if unpacking else ()))

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

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("it is away")

    def _until(self, seconds: int) -> datetime:
        return self._clock() + timedelta(seconds=seconds)

    def _sign(self, signed: "_Signed", headers: Mapping[str, str]) -> SignedRequest:
        url = f"memory://store/{quote(signed.key)}?signature={uuid4().hex}"
        self._signed[url] = signed
        return SignedRequest(signed.method, url, headers)


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    metadata: Mapping[str, str]
    written_at: datetime


@dataclass(frozen=True, slots=True)
class _Signed:
    method: str
    key: str
    until: datetime
    size: int = 0
    file_name: str = ""


class MemorySubject:
    """A MemoryStore for the suites. Its clock is advanced without waiting."""

    skips: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._now = datetime.now(UTC)
        self.objects = self.signer = self._store = MemoryStore(lambda: self._now)

    async def put(self, key: str, data: bytes) -> None:
        self._store.put(key, data)

    async def read(self, key: str) -> bytes | None:
        return self._store.read(key)

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        return self._store.metadata(key)

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        return await self._store.send(request, body)

    async def wait(self, seconds: int) -> None:
        self._now += timedelta(seconds=seconds)
