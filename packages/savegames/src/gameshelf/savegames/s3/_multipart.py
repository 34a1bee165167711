"""Multipart uploads of a bucket, and copies of objects that are too large for one request."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError
from gameshelf.savegames._ports import OpenMultipart, StoredPart, StoreUnavailable
from gameshelf.savegames.s3._calls import BucketCalls, each, seconds_for
from gameshelf.savegames.s3._client import FAILURES, error_code
from gameshelf.savegames.s3._config import SignedHash

_log = logging.getLogger(__name__)

_PAGE = 1000
"""The most parts or uploads that S3 lists in one call."""
_MOST_PARTS = 10_000
_COPIES_AT_ONCE = 4
_TRIES = 3
"""How often a part is copied before the copy fails, and how often a copy starts over when its source changes."""


class Multiparts:
    """The multipart uploads of a bucket."""

    def __init__(self, calls: BucketCalls) -> None:
        self._calls = calls

    async def begin(self, key: str) -> str:
        async with self._calls.calling("CreateMultipartUpload"):
            # A store that has checksums takes those of parts only if they are announced.
            has_checksums = self._calls.config.signed_hash is SignedHash.CHECKSUM
            return await self._create(key, **({"ChecksumAlgorithm": "SHA256"} if has_checksums else {}))

    async def parts(self, key: str, multipart_id: str) -> Sequence[StoredPart] | None:
        found: list[StoredPart] = []
        start: dict[str, Any] | None = {}
        while start is not None:
            async with self._calls.calling("ListParts"):
                try:
                    page = await self._calls.request(
                        "list_parts", Key=key, UploadId=multipart_id, MaxParts=_PAGE, **start
                    )
                except ClientError as error:
                    if error_code(error) == "NoSuchUpload":
                        return None
                    raise
            found += [
                StoredPart(part["PartNumber"], part["Size"], part["ETag"], part.get("ChecksumSHA256"))
                for part in page.get("Parts", ())
            ]
            has_more = page.get("IsTruncated", False) and bool(page.get("Parts"))
            start = {"PartNumberMarker": found[-1].number} if has_more else None
        return found

    async def complete(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> bool:
        """Makes the object. False when the upload is not open, or does not have exactly these parts any more."""
        size = sum(part.size for part in parts)
        async with self._calls.calling("CompleteMultipartUpload", seconds_for(size)):
            try:
                return await self._complete(key, multipart_id, parts, size)
            except ClientError as error:
                if error_code(error) == "InvalidPart":  # a client has replaced a part meanwhile
                    return False
                raise

    async def abort(self, key: str, multipart_id: str) -> None:
        async with self._calls.calling("AbortMultipartUpload"):
            await self._abort(key, multipart_id)

    async def open(self, prefix: str, after: str, limit: int) -> Sequence[OpenMultipart]:
        found: list[OpenMultipart] = []
        start: dict[str, str] | None = {"KeyMarker": after} if after else {}
        while start is not None and len(found) < limit:
            async with self._calls.calling("ListMultipartUploads"):
                page = await self._calls.request(
                    "list_multipart_uploads", Prefix=prefix, MaxUploads=min(limit - len(found), _PAGE), **start
                )
            found += [
                OpenMultipart(upload["Key"], upload["UploadId"], upload["Initiated"].astimezone(UTC))
                for upload in page.get("Uploads", ())
                if upload["Key"] > after  # some stores list the marker's own key again
            ]
            before, start = start, None
            if page.get("IsTruncated") and page.get("NextKeyMarker"):
                markers = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
                start = {name: page[next_name] for name, next_name in markers.items() if page.get(next_name)}
                if start == before:  # a store that does not move on would be asked for ever
                    break
        return found

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int) -> bool:
        """Copies a large object in parts, all of one moment of the source. False when there is no source."""
        async with self._calls.calling("UploadPartCopy", seconds_for(size)):
            for _ in range(_TRIES):
                try:
                    return await self._copy_moment(source, target, metadata)
                except _SourceChanged:
                    _log.info("the source of a copy in parts was replaced meanwhile; the copy starts over")
            raise StoreUnavailable("UploadPartCopy: the source is replaced again and again")

    async def _copy_moment(self, source: str, target: str, metadata: Mapping[str, str]) -> bool:
        try:
            found = await self._calls.request("head_object", Key=source)
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey"):
                await self._calls.request("head_bucket")  # a response to HEAD does not say what is absent
                return False
            raise
        size, etag = found["ContentLength"], found["ETag"]
        if size == 0:  # an object has one part at least, and a part of no bytes is no range
            about = {"Metadata": dict(metadata), **self._calls.new_object}
            await self._calls.request("put_object", Key=target, Body=b"", **about)
            return True
        part_bytes = max(self._calls.config.copy_part_bytes, -(-size // _MOST_PARTS))
        multipart_id = await self._create_for_copy(target, metadata)
        copied: dict[int, StoredPart] = {}

        async def copy_part(start: int) -> None:
            number = start // part_bytes + 1
            copied[number] = await self._copy_part(
                {
                    "Key": target,
                    "UploadId": multipart_id,
                    "PartNumber": number,
                    "CopySource": {"Bucket": self._calls.config.bucket, "Key": source},
                    "CopySourceRange": f"bytes={start}-{min(start + part_bytes, size) - 1}",
                    "CopySourceIfMatch": etag,
                },
                min(part_bytes, size - start),
            )

        try:
            await each(range(0, size, part_bytes), copy_part, _COPIES_AT_ONCE)
            parts = [copied[number] for number in sorted(copied)]
            if not await self._complete(target, multipart_id, parts, size):
                # The response to the first attempt may be lost; the absence of the object is a failure.
                made = await self._calls.request("head_object", Key=target)
                if made["ContentLength"] != size:
                    raise StoreUnavailable("CompleteMultipartUpload: NoSuchUpload")
        except BaseException as error:
            await self._drop(target, multipart_id)
            if error_code(error) == "NoSuchKey":  # deleted meanwhile
                return False
            if error_code(error) == "PreconditionFailed":
                raise _SourceChanged from None
            raise
        return True

    async def _create_for_copy(self, target: str, metadata: Mapping[str, str]) -> str:
        """Who is cancelled waits for the id: the store may have begun the upload, which only its id can abort."""
        creating = asyncio.ensure_future(self._create(target, Metadata=dict(metadata)))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            await asyncio.wait([creating])
            if not creating.cancelled() and creating.exception() is None:
                await self._drop(target, creating.result())
            raise

    async def _copy_part(self, parameters: dict[str, Any], size: int) -> StoredPart:
        for attempt in range(1, _TRIES + 1):
            try:
                response = await self._calls.patient_request("upload_part_copy", size, **parameters)
            except FAILURES as error:
                if attempt == _TRIES or _is_refusal(error):
                    raise
                continue
            result = response["CopyPartResult"]
            return StoredPart(parameters["PartNumber"], size, result["ETag"], result.get("ChecksumSHA256"))
        raise AssertionError("unreachable")

    async def _create(self, key: str, **more: Any) -> str:
        response = await self._calls.request("create_multipart_upload", Key=key, **self._calls.new_object, **more)
        multipart_id: str = response["UploadId"]
        return multipart_id

    async def _complete(self, key: str, multipart_id: str, parts: Sequence[StoredPart], size: int) -> bool:
        listed = [
            {
                "PartNumber": part.number,
                "ETag": part.etag,
                **({"ChecksumSHA256": part.checksum} if part.checksum else {}),
            }
            for part in parts
        ]
        try:
            await self._calls.patient_request(
                "complete_multipart_upload", size, Key=key, UploadId=multipart_id, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            if error_code(error) == "NoSuchUpload":
                return False
            raise
        return True

    async def _abort(self, key: str, multipart_id: str) -> None:
        try:
            await self._calls.request("abort_multipart_upload", Key=key, UploadId=multipart_id)
        except ClientError as error:
            if error_code(error) != "NoSuchUpload":
                raise

    async def _drop(self, key: str, multipart_id: str) -> None:
        """Aborts as far as possible: what stays is dropped by the bucket's rule or by the sweep."""
        try:
            await self._abort(key, multipart_id)
        except FAILURES as error:
            _log.warning("a copy in parts could not be aborted: %s", error_code(error) or type(error).__name__)


class _SourceChanged(Exception):
    pass


def _is_refusal(error: Exception) -> bool:
    """Whether a repetition would be refused too."""
    return isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
