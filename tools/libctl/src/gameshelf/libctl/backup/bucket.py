"""The bucket of the backups: encrypted objects in, and out again, in flat memory."""

import asyncio
import math
import os
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from gameshelf.libctl.backup.keys import Keys
from gameshelf.libctl.backup.sealing import FRAME, Opener, sealed, sealed_size
from gameshelf.libctl.errors import NothingFound, Refused, Unavailable, Usage

T = TypeVar("T")

MIB = 1 << 20
_PART = 8 * MIB
_LARGE_PART = 64 * MIB
_FEW_PARTS, _MANY_PARTS = 900, 9_000
_READ_SECONDS = 60
_ATTEMPTS = 6
_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/-]*))?")


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """``s3://BUCKET/PREFIX``: a place for backups, or one of them. ``prefix`` has no slash at its ends."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name


def parse(text: str) -> BucketAddress:
    """Raises Usage."""
    match = _ADDRESS.fullmatch(text)
    if not match or ".." in text:
        raise Usage(f"{text} can't be understood", "s3://BUCKET/PREFIX of letters, digits, dots and hyphens")
    return BucketAddress(match[1], (match[2] or "").strip("/"))


@dataclass(frozen=True, slots=True)
class Listed:
    """An object. ``name`` is what follows the prefix."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload in parts that was not completed."""

    name: str
    id: str
    begun_at: datetime


class BackupBucket:
    """Objects below one address, with the keys that encrypt them."""

    def __init__(self, client: Any, address: BucketAddress, keys: Keys) -> None:
        self._client, self.address, self.keys = client, address, keys

    async def list(self, below: str = "") -> AsyncIterator[Listed]:
        """Yields every object, page by page."""
        start = f"{self.address.prefix}/" if self.address.prefix else ""
        with _explained(str(self.address)):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.address.bucket, Prefix=start + below
            )
            async for page in pages:
                for entry in page.get("Contents", ()):
                    yield Listed(entry["Key"].removeprefix(start), entry["Size"])

    async def put(self, name: str, path: Path) -> None:
        """Uploads a file, encrypted, under a name that is part of what is authenticated."""
        size = sealed_size(path.stat().st_size, self.keys)
        with path.open("rb") as file:
            await self._upload(name, sealed(iter(lambda: file.read(FRAME), b""), self.keys, name), size)

    async def put_bytes(self, name: str, content: bytes) -> None:
        await self._upload(name, sealed([content], self.keys, name), sealed_size(len(content), self.keys))

    async def get(self, name: str) -> AsyncIterator[bytes]:
        """Yields the decrypted content. Before its end there is no proof yet that it is whole."""
        opener = Opener(self.keys, name)
        with _explained(f"{self.address}/{name}"):
            answer = await self._client.get_object(Bucket=self.address.bucket, Key=self.address.key(name))
            async with answer["Body"] as body:
                async for chunk in body.content.iter_chunked(FRAME):
                    for frame in opener.feed(chunk):
                        yield frame
            yield opener.end()

    async def get_bytes(self, name: str, most: int) -> bytes:
        """A small object. Raises Refused for one that is larger than ``most``."""
        content = bytearray()
        async for chunk in self.get(name):
            content += chunk
            if len(content) > most:
                raise Refused(f"{name} is larger than {most} bytes", "use another backup", code="BACKUP_DAMAGED")
        return bytes(content)

    async def fetch(self, name: str, path: Path) -> None:
        """Downloads into a file, which is there only if it is whole, and on the disk."""
        partial = path.with_name(path.name + ".partial")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with partial.open("wb") as file:
                async for chunk in self.get(name):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
        except OSError as error:
            raise Refused(f"{path} can't be written: {error.strerror}", "is there enough room? --work DIR") from None
        finally:
            partial.unlink(missing_ok=True)

    async def delete(self, name: str) -> None:
        """Deletes one object; one that isn't there is no error. It needs no space, so a full bucket can be emptied."""
        with _explained(f"{self.address}/{name}"):
            await self._client.delete_object(Bucket=self.address.bucket, Key=self.address.key(name))

    async def unfinished(self) -> AsyncIterator[Unfinished]:
        """Yields the uploads in parts that were begun and neither completed nor aborted. No listing of objects has
        them, and they cost what their parts do.
        """
        start = f"{self.address.prefix}/" if self.address.prefix else ""
        with _explained(str(self.address)):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.address.bucket, Prefix=start
            )
            async for page in pages:
                for entry in page.get("Uploads", ()):
                    yield Unfinished(entry["Key"].removeprefix(start), entry["UploadId"], entry["Initiated"])

    async def abort(self, upload: Unfinished) -> None:
        """Ends an unfinished upload; one that is gone is no error."""
        with _explained(f"{self.address}/{upload.name}"), suppress(self._client.exceptions.NoSuchUpload):
            await self._client.abort_multipart_upload(
                Bucket=self.address.bucket, Key=self.address.key(upload.name), UploadId=upload.id
            )

    async def _upload(self, name: str, pieces: Iterator[bytes], size: int) -> None:
        place = {"Bucket": self.address.bucket, "Key": self.address.key(name)}
        with _explained(f"{self.address}/{name}"):
            if size <= _PART:
                await to_its_end(self._client.put_object(**place, Body=b"".join(pieces)))
                return
            upload = (await to_its_end(self._client.create_multipart_upload(**place)))["UploadId"]
            try:
                done: list[dict[str, object]] = []
                for number, part in enumerate(_gathered(pieces, part_size(size)), 1):
                    sent = self._client.upload_part(**place, UploadId=upload, PartNumber=number, Body=part)
                    done.append({"PartNumber": number, "ETag": (await to_its_end(sent))["ETag"]})
                parts = {"Parts": done}
                await to_its_end(
                    self._client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
                )
            except BaseException:
                await asyncio.shield(_aborted(self._client, place, upload))
                raise


def part_size(size: int) -> int:
    """Returns how long the parts of an upload are: equal ones, as some stores want it, held in memory one by one.

    Some stores take 1,000 parts at most, Amazon's 10,000; below 57 GB there are fewer than 1,000.
    """
    if size <= _LARGE_PART * _FEW_PARTS:
        return max(_PART, math.ceil(size / _FEW_PARTS / MIB) * MIB)
    return max(_LARGE_PART, math.ceil(size / _MANY_PARTS / MIB) * MIB)


@asynccontextmanager
async def connected(address: BucketAddress, keys: Keys) -> AsyncIterator[BackupBucket]:
    """The bucket for the length of a block.

    ``LIBCTL_S3_ENDPOINT``, ``LIBCTL_S3_REGION``, ``LIBCTL_S3_ACCESS_KEY_ID`` and ``LIBCTL_S3_SECRET_ACCESS_KEY``; what
    is not set is found as Amazon's own tools find it. They are not the service's: a leak of its keys must not reach the
    backups.
    """
    import aioboto3  # half a second that only these commands need
    from aiobotocore.config import AioConfig
    from botocore.exceptions import BotoCoreError

    endpoint = os.environ.get("LIBCTL_S3_ENDPOINT") or None
    options = AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path" if endpoint else "virtual"},
        connect_timeout=10,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        # Many stores are older than checksum headers; the encryption authenticates every byte.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        made = aioboto3.Session().client(
            "s3",
            region_name=os.environ.get("LIBCTL_S3_REGION") or ("us-east-1" if endpoint else None),
            endpoint_url=endpoint,
            aws_access_key_id=os.environ.get("LIBCTL_S3_ACCESS_KEY_ID") or None,
            aws_secret_access_key=os.environ.get("LIBCTL_S3_SECRET_ACCESS_KEY") or None,
            config=options,
        )
        client = await made.__aenter__()
    except (BotoCoreError, ValueError) as error:
        raise Usage(f"the client of S3 can't be made: {type(error).__name__}", "check LIBCTL_S3_ENDPOINT") from None
    try:
        yield BackupBucket(client, address, keys)
    finally:
        await made.__aexit__(None, None, None)


def _gathered(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Joins pieces to parts of ``size`` bytes; the last may be shorter."""
    part = bytearray()
    for piece in pieces:
        part += piece
        while len(part) >= size:
            yield bytes(part[:size])
            del part[:size]
    if part:
        yield bytes(part)


async def to_its_end(request: Coroutine[Any, Any, T]) -> T:
    """Awaits a request that changes the store. A cancellation is raised once the request has ended: the store may
    complete one whose sender is gone, after everything was deleted.
    """
    task = asyncio.ensure_future(request)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen, so that nothing warns of it
        raise


async def _aborted(client: Any, place: dict[str, str], upload: str) -> None:
    """Ends an upload, so that its parts cost nothing. A rule of the bucket does it where this fails."""
    try:
        await client.abort_multipart_upload(**place, UploadId=upload)
    except Exception:
        return


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turns the store's errors into refusals that state what to try."""
    import aiohttp
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in ("NoSuchKey", "NoSuchBucket", "404"):
            raise NothingFound(f"{what}: {code}", "check the address; libctl backup list shows what is there") from None
        if status >= 500 or code in ("SlowDown", "RequestTimeout"):
            raise Unavailable(f"{what}: {code or status}", "wait a moment, then repeat") from None
        raise Refused(f"{what}: {code or status}", "check LIBCTL_S3_… and the rights of its key") from None
    except NoCredentialsError:
        raise Usage("there are no credentials for S3", "LIBCTL_S3_ACCESS_KEY_ID, or a role of the machine") from None
    except (BotoCoreError, ResponseParserError, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise Unavailable(f"{what}: {type(error).__name__}", "is the store running there? Then repeat") from None
