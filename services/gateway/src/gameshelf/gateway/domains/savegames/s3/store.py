"""Bytes of cloud saves in an S3 bucket: the ports ObjectSigner and ObjectStore of the saves, answered."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from gameshelf.gateway.domains.savegames.s3.client import (
    CALL_SECONDS,
    answered,
    error_code,
    keys_of,
    lacks,
    new_client,
)
from gameshelf.gateway.domains.savegames.s3.signer import SAMPLE_KEY, S3Signer
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.savegames import Digest, Packing, SignedRequest, StoredObject, StoreUnavailable
from gameshelf.savegames.unpacking import Unpacking

_log = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
"""Hashed in a tenth of a millisecond: nobody else on the loop notices."""
_SLOWEST_BYTES_A_SECOND = 4 * 1024**2
_DELETE_SECONDS = 60.0
_AT_ONCE = 4
_PAGE = 1000
"""The most that S3 lists in one call."""
_VERSIONS_PAGE = 100  # most keys have one or two, and what comes after them is other keys'


def connect(settings: Settings, metrics: Metrics | None = None, tracing: Tracing | None = None) -> "S3Objects | None":
    """The bucket of the settings, to be opened; None when they name none."""
    if settings.s3_bucket is None:
        return None
    return S3Objects(settings, settings.s3_bucket, metrics or Metrics(), tracing or Tracing())


class S3Objects:
    """Objects of one bucket. ``open`` before anything else, once a process, and ``close`` at its end.

    Nothing here waits longer than six seconds for a store that is silent, and than the bytes need that it copies or
    sends; many callers share 32 connections.
    """

    def __init__(self, settings: Settings, bucket: str, metrics: Metrics, tracing: Tracing) -> None:
        self._settings = settings
        self._bucket = bucket
        self._metrics = metrics
        self._tracing = tracing
        self._encryption = _encryption(settings)
        self._opened = AsyncExitStack()
        self._client: Any = None
        self._copier: Any = None
        self._signer: S3Signer

    async def open(self) -> None:
        """Makes the clients. It takes a tenth of a second, and no network but to ask for a role's keys: the store may
        be away.
        """
        settings, opened = self._settings, self._opened
        self._client = await opened.enter_async_context(new_client(settings, settings.s3_url))
        # A store says nothing while it copies, and needs longer for what is larger.
        longest = _seconds_for(settings.savegame_max_bytes)
        self._copier = await opened.enter_async_context(new_client(settings, settings.s3_url, read_seconds=longest))
        async with new_client(settings, settings.s3_public_url, signs=False) as public:
            sample = await public.generate_presigned_url(
                "put_object", Params={"Bucket": self._bucket, "Key": SAMPLE_KEY}
            )
        self._signer = S3Signer(sample, settings.s3_region)
        try:
            await keys_of(settings)
        except StoreUnavailable as error:
            _log.warning("S3 can't be used: S3_ACCESS_KEY_ID is not set, and the instance has no role (%s)", error)

    async def close(self) -> None:
        """Closes what was opened."""
        await self._opened.aclose()

    async def sign_upload(self, key: str, size: int, seconds: int) -> SignedRequest:
        headers = {"Content-Length": str(size)}
        if self._encryption:
            headers["x-amz-server-side-encryption"] = self._encryption["ServerSideEncryption"]
        return SignedRequest(
            "PUT", self._signer.sign(await keys_of(self._settings), "PUT", key, seconds, headers), headers
        )

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        named = {"response-content-disposition": _attachment(file_name)}
        return SignedRequest(
            "GET", self._signer.sign(await keys_of(self._settings), "GET", key, seconds, query=named), {}
        )

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        async with self._calling("CopyObject", _seconds_for(size)):
            try:
                await self._copier.copy_object(
                    Bucket=self._bucket,
                    Key=target,
                    CopySource={"Bucket": self._bucket, "Key": source},
                    MetadataDirective="REPLACE",
                    Metadata=dict(metadata),
                    # What the client called it may be a page with scripts.
                    ContentType="application/octet-stream",
                    **self._encryption,
                )
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return False
                raise
        return True

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        async with self._calling("GetObject", _seconds_for(size)):
            try:
                # One answer is one object, whoever writes under this key meanwhile.
                answer = await self._ask("get_object", Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            body, found = answer["Body"], answer["ContentLength"]
            async with body:  # closes the connection when it is not read to its end
                if found != size:
                    return Digest(found, None)
                sha256, unpacking = hashlib.sha256(), Unpacking(packing) if packing else None
                while chunk := await body.read(_CHUNK_BYTES):
                    sha256.update(chunk)
                    for _ in unpacking.feed(chunk) if unpacking else ():
                        await asyncio.sleep(0)
        return Digest(found, sha256.digest(), *(unpacking.result() if unpacking else ()))

    async def describe(self, key: str) -> Mapping[str, str] | None:
        async with self._calling("HeadObject"):
            try:
                answer = await self._ask("head_object", Key=key)
            except ClientError as error:
                if error_code(error) in ("404", "NoSuchKey"):  # an answer to HEAD has no body to say it in
                    return None
                raise
        return {name.lower(): value for name, value in answer["Metadata"].items()}

    async def delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        # One by one: DeleteObjects wants checksums that not every store and client agree on, and JuiceFS leaves a
        # folder behind, which it then lists as an object.
        async with self._calling("DeleteObject", _DELETE_SECONDS):
            await _each(keys, self._delete_versions if await self._has_versions() else self._delete)

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        if not after.startswith(prefix):
            # Some stores refuse such a start. Text compares as its bytes in UTF-8 do.
            if after > prefix:
                return []
            after = ""
        found: list[StoredObject] = []
        go_on = {"StartAfter": after}
        while go_on and len(found) < limit:
            async with self._calling("ListObjectsV2"):
                page = await self._ask(
                    "list_objects_v2", Prefix=prefix, MaxKeys=min(limit - len(found), _PAGE), **go_on
                )
            found += [
                StoredObject(entry["Key"], entry["Size"], entry["LastModified"].astimezone(UTC))
                for entry in page.get("Contents", ())
            ]
            # By its token: a page may be empty and yet not the last one.
            go_on = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else {}
        return found

    async def _has_versions(self) -> bool:
        # Asked each time: they may be switched on while this runs, and then a deletion would leave the bytes there.
        try:
            answer = await self._ask("get_bucket_versioning")
        except ClientError as error:
            if lacks(error):
                return False
            raise
        return "Status" in answer  # also where they were suspended: the old ones are there still

    async def _delete_versions(self, key: str) -> None:
        more = True
        while more:
            page = await self._ask("list_object_versions", Prefix=key, MaxKeys=_VERSIONS_PAGE)
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            own = [entry for entry in entries if entry["Key"] == key]
            for version in own:
                await self._delete(key, VersionId=version["VersionId"])
            # A key comes before those that it is the beginning of.
            more = bool(own) and page["IsTruncated"] and len(own) == len(entries)

    async def _delete(self, key: str, **version: str) -> None:
        await self._ask("delete_object", Key=key, **version)

    async def _ask(self, method: str, **parameters: Any) -> Any:
        """One request about the bucket. Raises what the client raises, and TimeoutError."""
        async with asyncio.timeout(CALL_SECONDS):
            return await getattr(self._client, method)(Bucket=self._bucket, **parameters)

    @asynccontextmanager
    async def _calling(self, operation: str, seconds: float = CALL_SECONDS) -> AsyncIterator[None]:
        attributes = {"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": operation}
        with self._tracing.child("s3", **attributes):
            try:
                async with answered(operation, seconds):
                    yield
            except StoreUnavailable as error:
                self._metrics.dependency_errors.labels("s3").inc()
                _log.warning("S3 is away: %s", error)
                raise


async def _each(keys: Sequence[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Does the work for every key, a few at a time. Raises the first failure, and leaves nothing running."""
    left = iter(keys)

    async def go_on() -> None:
        for key in left:
            await work(key)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(keys))):
                group.create_task(go_on())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _seconds_for(size: int) -> float:
    """How long a call may take in which so many bytes are copied or sent."""
    return CALL_SECONDS + size / _SLOWEST_BYTES_A_SECOND


def _encryption(settings: Settings) -> dict[str, str]:
    chosen = settings.s3_server_side_encryption
    return {} if chosen == "none" else {"ServerSideEncryption": chosen}


def _attachment(file_name: str) -> str:
    """The header that names a download (RFC 6266): in full, and in ASCII for whoever can't read that."""
    plain = "".join(sign if " " <= sign <= "~" and sign not in '"\\%' else "_" for sign in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
