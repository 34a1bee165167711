"""The bytes of cloud saves in an S3 bucket: implements the ports ObjectSigner and ObjectStore."""

import asyncio
import hashlib
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from gameshelf.savegames._ports import (
    MAX_PUT_BYTES,
    Digest,
    ObjectTooLarge,
    OpenMultipart,
    Packing,
    SignedRequest,
    StoredObject,
    StoredPart,
    StoreUnavailable,
)
from gameshelf.savegames._unpacking import Unpacking
from gameshelf.savegames.s3._calls import BucketCalls, CallSpan, each, seconds_for
from gameshelf.savegames.s3._client import current_keys, error_code, is_unsupported, new_public_client
from gameshelf.savegames.s3._config import S3Config, SignedHash
from gameshelf.savegames.s3._multipart import Multiparts
from gameshelf.savegames.s3._signer import PAYLOAD_HASH, SAMPLE_KEY, S3Signer

_log = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
"""Hashed in a tenth of a millisecond, so that other tasks are not delayed."""
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
        span: CallSpan = _no_span,
        on_failure: Callable[[StoreUnavailable], None] = _ignore_failure,
    ) -> None:
        """``span`` is entered around each call of the store with the operation's name (``GetObject``), for traces;
        ``on_failure`` is called before a call raises StoreUnavailable, for metrics.
        """
        self._config = config
        self._calls = BucketCalls(config, span, on_failure)
        self._multiparts = Multiparts(self._calls)
        self._signer: S3Signer

    async def open(self) -> None:
        """Makes the clients, in about 0.1 s. The network is used only to fetch the keys of a role: the store may be
        unreachable.
        """
        config = self._config
        await self._calls.open()
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
        await self._calls.close()

    async def sign_upload(self, key: str, size: int, seconds: int, sha256: bytes | None = None) -> SignedRequest:
        headers = {"Content-Length": str(size), **(self._hash_headers(sha256) if sha256 is not None else {})}
        if self._config.server_side_encryption:
            headers["x-amz-server-side-encryption"] = self._config.server_side_encryption
        return await self._sign_put(key, seconds, headers)

    async def sign_part(
        self, key: str, multipart_id: str, number: int, size: int, seconds: int, sha256: bytes
    ) -> SignedRequest:
        headers = {"Content-Length": str(size), **self._hash_headers(sha256)}
        return await self._sign_put(key, seconds, headers, {"partNumber": str(number), "uploadId": multipart_id})

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        query = {"response-content-disposition": _attachment(file_name)}
        keys = await current_keys(self._config)
        return SignedRequest("GET", self._signer.sign(keys, "GET", key, seconds, query=query), {})

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        if size > self._config.max_copy_bytes:
            return await self._multiparts.copy(source, target, metadata, size)
        async with self._calls.calling("CopyObject", seconds_for(size)):
            try:
                await self._calls.patient_request(
                    "copy_object",
                    size,
                    Key=target,
                    CopySource={"Bucket": self._config.bucket, "Key": source},
                    MetadataDirective="REPLACE",
                    Metadata=dict(metadata),
                    **self._calls.new_object,
                )
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return False
                raise
        return True

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        async with self._calls.calling("GetObject", seconds_for(size)):
            response = await self._get(key)
            if response is None:
                return None
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

    async def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        if len(data) > MAX_PUT_BYTES:
            raise ValueError(f"an object of {len(data)} bytes is too large to be written at once")
        async with self._calls.calling("PutObject", seconds_for(len(data))):
            await self._calls.patient_request(
                "put_object", len(data), Key=key, Body=data, Metadata=dict(metadata), **self._calls.new_object
            )

    async def read(self, key: str, max_bytes: int) -> bytes | None:
        async with self._calls.calling("GetObject", seconds_for(max_bytes)):
            response = await self._get(key)
            if response is None:
                return None
            async with response["Body"] as body:
                if response["ContentLength"] > max_bytes:
                    raise ObjectTooLarge(f"an object of {response['ContentLength']} bytes; {max_bytes} are allowed")
                data: bytes = await body.read()
        return data

    async def describe(self, key: str) -> Mapping[str, str] | None:
        async with self._calls.calling("HeadObject"):
            try:
                response = await self._calls.request("head_object", Key=key)
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
        async with self._calls.calling("DeleteObject", _DELETE_SECONDS):
            delete = self._delete_versions if await self._has_versions() else self._delete
            await each(keys, delete, min(_CONCURRENT_DELETES, len(keys)))

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        if not after.startswith(prefix):
            # Some stores refuse such a start. Strings compare as their bytes in UTF-8 do.
            if after > prefix:
                return []
            after = ""
        found: list[StoredObject] = []
        start = {"StartAfter": after}
        while start and len(found) < limit:
            async with self._calls.calling("ListObjectsV2"):
                page = await self._calls.request(
                    "list_objects_v2", Prefix=prefix, MaxKeys=min(limit - len(found), _PAGE), **start
                )
            found += [
                StoredObject(entry["Key"], entry["Size"], entry["LastModified"].astimezone(UTC))
                for entry in page.get("Contents", ())
            ]
            # By its token: a page may be empty and yet not be the last one.
            start = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else {}
        return found

    async def begin_parts(self, key: str) -> str:
        return await self._multiparts.begin(key)

    async def parts(self, key: str, multipart_id: str) -> Sequence[StoredPart] | None:
        return await self._multiparts.parts(key, multipart_id)

    async def complete_parts(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> bool:
        if not parts:
            raise ValueError("an object has one part at least")
        return await self._multiparts.complete(key, multipart_id, parts) or await self.describe(key) is not None

    async def abort_parts(self, key: str, multipart_id: str) -> None:
        await self._multiparts.abort(key, multipart_id)

    async def open_parts(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[OpenMultipart]:
        if not after.startswith(prefix):
            if after > prefix:
                return []
            after = ""
        return await self._multiparts.open(prefix, after, limit)

    def _hash_headers(self, sha256: bytes) -> Mapping[str, str]:
        """The header that binds a body to its hash, if the store verifies one."""
        match self._config.signed_hash:
            case SignedHash.CHECKSUM:
                return {"x-amz-checksum-sha256": b64encode(sha256).decode()}
            case SignedHash.PAYLOAD:
                return {PAYLOAD_HASH: sha256.hex()}
            case SignedHash.NONE:
                return {}

    async def _sign_put(
        self, key: str, seconds: int, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> SignedRequest:
        keys = await current_keys(self._config)
        return SignedRequest("PUT", self._signer.sign(keys, "PUT", key, seconds, headers, query), headers)

    async def _get(self, key: str) -> Any:
        """The response with the bytes of one moment, even if a client writes to this key meanwhile; None: no object."""
        try:
            return await self._calls.request("get_object", Key=key)
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise

    async def _has_versions(self) -> bool:
        # Requested each time: versions may be switched on while this runs, and then a deletion would keep the bytes.
        try:
            response = await self._calls.request("get_bucket_versioning")
        except ClientError as error:
            if is_unsupported(error):
                return False
            raise
        return "Status" in response  # also when versions are suspended: the old ones are still there

    async def _delete_versions(self, key: str) -> None:
        more = True
        while more:
            page = await self._calls.request("list_object_versions", Prefix=key, MaxKeys=_VERSIONS_PAGE)
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            own = [entry for entry in entries if entry["Key"] == key]
            for version in own:
                await self._delete(key, VersionId=version["VersionId"])
            # A key is listed before those that begin with it.
            more = bool(own) and page["IsTruncated"] and len(own) == len(entries)

    async def _delete(self, key: str, **version: str) -> None:
        await self._calls.request("delete_object", Key=key, **version)


def _attachment(file_name: str) -> str:
    """The header that names a download (RFC 6266): in full, and in ASCII for clients that can't read that."""
    plain = "".join(sign if " " <= sign <= "~" and sign not in '"\\%' else "_" for sign in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
