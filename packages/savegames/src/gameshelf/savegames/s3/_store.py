"""The bytes of cloud saves in an S3 bucket: implements the ports ObjectSigner and ObjectStore."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from gameshelf.savegames._ports import Digest, Packing, SignedRequest, StoredObject, StoreUnavailable
from gameshelf.savegames._unpacking import Unpacking
from gameshelf.savegames.s3._client import (
    CALL_SECONDS,
    current_keys,
    error_code,
    failures_as_unavailable,
    is_unsupported,
    new_client,
    new_public_client,
)
from gameshelf.savegames.s3._config import S3Config
from gameshelf.savegames.s3._signer import SAMPLE_KEY, S3Signer

_log = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
"""Hashed in a tenth of a millisecond, so that other tasks are not delayed."""
_SLOWEST_BYTES_PER_SECOND = 4 * 1024**2
_DELETE_SECONDS = 60.0
_CONCURRENT_DELETES = 4
_PAGE = 1000
"""The most objects that S3 lists in one call."""
_VERSIONS_PAGE = 100  # most keys have one or two versions, and the rest of the page would be of other keys


def _no_span(operation: str) -> AbstractContextManager[object]:
    return nullcontext()


def _ignore_failure(error: StoreUnavailable) -> None:
    pass


class S3ObjectStore:
    """The objects of one bucket. Call ``open`` first, once per process, and ``close`` at the end.

    No call waits longer than six seconds for a store that sends nothing, and 1 second more per 4 MiB that it copies or
    reads. All calls share 32 connections.
    """

    def __init__(
        self,
        config: S3Config,
        *,
        span: Callable[[str], AbstractContextManager[object]] = _no_span,
        on_failure: Callable[[StoreUnavailable], None] = _ignore_failure,
    ) -> None:
        """``span`` is entered around each call of the store with the operation's name (``GetObject``), for traces;
        ``on_failure`` is called before a call raises StoreUnavailable, for metrics.
        """
        self._config = config
        self._span = span
        self._on_failure = on_failure
        encryption = config.server_side_encryption
        self._encryption = {"ServerSideEncryption": encryption} if encryption else {}
        self._opened = AsyncExitStack()
        self._client: Any = None
        self._copier: Any = None
        self._signer: S3Signer

    async def open(self) -> None:
        """Makes the clients, in about 0.1 s. The network is used only to fetch the keys of a role: the store may be
        unreachable.
        """
        config, opened = self._config, self._opened
        self._client = await opened.enter_async_context(new_client(config))
        # A store sends nothing while it copies, and a large object takes longer.
        longest = _seconds_for(config.max_object_bytes)
        self._copier = await opened.enter_async_context(new_client(config, read_seconds=longest))
        async with new_public_client(config) as public:
            sample = await public.generate_presigned_url(
                "put_object", Params={"Bucket": config.bucket, "Key": SAMPLE_KEY}
            )
        self._signer = S3Signer(sample, config.region)
        try:
            await current_keys(config)
        except StoreUnavailable as error:
            _log.warning("S3 can't be used: no access key is configured, and the instance has no role (%s)", error)

    async def close(self) -> None:
        """Closes what was opened."""
        await self._opened.aclose()

    async def sign_upload(self, key: str, size: int, seconds: int) -> SignedRequest:
        headers = {"Content-Length": str(size)}
        if self._encryption:
            headers["x-amz-server-side-encryption"] = self._encryption["ServerSideEncryption"]
        keys = await current_keys(self._config)
        return SignedRequest("PUT", self._signer.sign(keys, "PUT", key, seconds, headers), headers)

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        query = {"response-content-disposition": _attachment(file_name)}
        keys = await current_keys(self._config)
        return SignedRequest("GET", self._signer.sign(keys, "GET", key, seconds, query=query), {})

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        async with self._calling("CopyObject", _seconds_for(size)):
            try:
                await self._copier.copy_object(
                    Bucket=self._config.bucket,
                    Key=target,
                    CopySource={"Bucket": self._config.bucket, "Key": source},
                    MetadataDirective="REPLACE",
                    Metadata=dict(metadata),
                    # The type that the client gave may be that of a page with scripts.
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
                # One response has the bytes of one object, even if a client writes to this key meanwhile.
                response = await self._request("get_object", Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            body, found = response["Body"], response["ContentLength"]
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
                response = await self._request("head_object", Key=key)
            except ClientError as error:
                if error_code(error) in ("404", "NoSuchKey"):  # a response to HEAD has no body with the code
                    return None
                raise
        return {name.lower(): value for name, value in response["Metadata"].items()}

    async def delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        # One by one: DeleteObjects requires checksums on which stores and clients disagree, and JuiceFS leaves a folder
        # behind, which it then lists as an object.
        async with self._calling("DeleteObject", _DELETE_SECONDS):
            await _each(keys, self._delete_versions if await self._has_versions() else self._delete)

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        if not after.startswith(prefix):
            # Some stores refuse such a start. Strings compare as their bytes in UTF-8 do.
            if after > prefix:
                return []
            after = ""
        found: list[StoredObject] = []
        start = {"StartAfter": after}
        while start and len(found) < limit:
            async with self._calling("ListObjectsV2"):
                page = await self._request(
                    "list_objects_v2", Prefix=prefix, MaxKeys=min(limit - len(found), _PAGE), **start
                )
            found += [
                StoredObject(entry["Key"], entry["Size"], entry["LastModified"].astimezone(UTC))
                for entry in page.get("Contents", ())
            ]
            # By its token: a page may be empty and yet not be the last one.
            start = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else {}
        return found

    async def _has_versions(self) -> bool:
        # Requested each time: versions may be switched on while this runs, and then a deletion would keep the bytes.
        try:
            response = await self._request("get_bucket_versioning")
        except ClientError as error:
            if is_unsupported(error):
                return False
            raise
        return "Status" in response  # also when versions are suspended: the old ones are still there

    async def _delete_versions(self, key: str) -> None:
        more = True
        while more:
            page = await self._request("list_object_versions", Prefix=key, MaxKeys=_VERSIONS_PAGE)
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            own = [entry for entry in entries if entry["Key"] == key]
            for version in own:
                await self._delete(key, VersionId=version["VersionId"])
            # A key is listed before those that begin with it.
            more = bool(own) and page["IsTruncated"] and len(own) == len(entries)

    async def _delete(self, key: str, **version: str) -> None:
        await self._request("delete_object", Key=key, **version)

    async def _request(self, method: str, **parameters: Any) -> Any:
        """One request about the bucket. Raises what the client raises, and TimeoutError."""
        async with asyncio.timeout(CALL_SECONDS):
            return await getattr(self._client, method)(Bucket=self._config.bucket, **parameters)

    @asynccontextmanager
    async def _calling(self, operation: str, seconds: float = CALL_SECONDS) -> AsyncIterator[None]:
        with self._span(operation):
            try:
                async with failures_as_unavailable(operation, seconds):
                    yield
            except StoreUnavailable as error:
                self._on_failure(error)
                _log.warning("S3 is away: %s", error)
                raise


async def _each(keys: Sequence[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Does the work for every key, a few at a time. Raises the first failure once all tasks have ended."""
    remaining = iter(keys)

    async def work_on_remaining() -> None:
        for key in remaining:
            await work(key)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_CONCURRENT_DELETES, len(keys))):
                group.create_task(work_on_remaining())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _seconds_for(size: int) -> float:
    """Time limit of a call that copies or reads so many bytes."""
    return CALL_SECONDS + size / _SLOWEST_BYTES_PER_SECOND


def _attachment(file_name: str) -> str:
    """The header that names a download (RFC 6266): in full, and in ASCII for clients that can't read that."""
    plain = "".join(sign if " " <= sign <= "~" and sign not in '"\\%' else "_" for sign in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
