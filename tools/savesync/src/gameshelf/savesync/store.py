"""Signed requests to the store: bytes up from a file, bytes down into a file that is resumed."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from gameshelf.savesync.api import LONGEST_PAUSE, Pause, pause_before, retry_after
from gameshelf.savesync.errors import SaveChanged, SaveSyncError, ServiceAway, ServiceRefusal, StagingFailed
from gameshelf.savesync.scan import reading_file
from gameshelf.savesync.wire import Sending

_BLOCK = 1 << 20
_TRIES = 4
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_AWAY = (408, 429, 500, 502, 503, 504)


class TransferProgress(Protocol):
    """Is notified of how many bytes there are, and of those that were transferred.

    A request that failed takes its bytes back with a negative number.
    """

    def expect(self, size: int) -> None: ...

    def advance(self, size: int) -> None: ...


class NoProgress:
    """Shows nothing."""

    def expect(self, size: int) -> None:
        """Ignores it."""

    def advance(self, size: int) -> None:
        """Ignores it."""


class UrlExpired(Exception):
    """The store does not accept the request, as far as can be seen: it needs a fresh signature.

    ``reason`` is what to raise if fresh signatures are not accepted either.
    """

    def __init__(self, reason: SaveSyncError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SaveStore:
    """The store, which knows nothing of the service but its signatures. The token is never sent to it."""

    client: httpx.AsyncClient
    pause: Pause = asyncio.sleep

    async def send(self, sending: Sending, path: Path, progress: TransferProgress) -> None:
        """Sends a content or a part of it. Raises UrlExpired, SaveChanged, ServiceRefusal or ServiceAway."""
        headers = httpx.Headers({"Content-Type": "application/octet-stream"})
        headers.update(sending.headers)  # whatever their case is: a header that is there twice breaks the signature
        headers["Content-Length"] = str(sending.size)
        is_cut = False
        for tried in range(1, _TRIES + 1):
            sent, said = _Counted(progress), None
            try:
                body = _blocks(path, sending.offset, sending.size, sent.add)
                response = await self.client.request(sending.method, sending.url, content=body, headers=headers)
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{type(error).__name__} {error}".rstrip()
                is_cut = isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)
            else:
                if response.is_success:
                    return
                is_cut = False
                sent.take_back()
                _check_refusal(response, path)
                reason, said = f"HTTP {response.status_code}", retry_after(response)
            sent.take_back()
            if (said or 0.0) > LONGEST_PAUSE:
                break
            if tried < _TRIES:
                await self.pause(pause_before(tried, said))
        if is_cut:  # a refusal is lost where the store closes the connection before it has read the whole body
            raise UrlExpired(ServiceAway(f"the store: {reason}"))
        raise ServiceAway(f"the store: {reason}", said)

    async def receive(self, url: str, target: Path, size: int, progress: TransferProgress) -> None:
        """Completes a file to its size, from where an earlier attempt ended. The caller compares its hash.

        Raises UrlExpired, ServiceRefusal, ServiceAway or StagingFailed.
        """
        failures = 0
        target.touch()
        while (begin := _size_of(target)) != size:
            said: float | None = None
            if begin > size:  # of another content, or of a store that sent too much
                target.unlink()
                continue
            try:
                await self._receive_from(begin, url, target, size, progress)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__} {error}".rstrip()
            except _Away as away:
                reason, said = str(away), away.retry_after
            else:
                reason = "the answer was shorter than the content"
            if _size_of(target) == size:
                break
            # As long as bytes arrive it continues; only attempts without any count.
            failures = 0 if _size_of(target) > begin else failures + 1
            if failures == _TRIES or (said or 0.0) > LONGEST_PAUSE:
                raise ServiceAway(f"the store: {reason}", said)
            await self.pause(pause_before(failures, said))

    async def receive_once(self, url: str, target: Path, size: int) -> None:
        """Receives a content as a whole. A connection that ends is an error, for a caller that keeps no halves.

        Raises UrlExpired, ServiceRefusal, ServiceAway or StagingFailed.
        """
        for tried in range(1, _TRIES + 1):
            try:
                await self._receive_from(0, url, target, size, NoProgress())
            except httpx.TransportError as error:
                raise ServiceAway(f"the store: {type(error).__name__} {error}".rstrip()) from error
            except _Away as away:
                if tried == _TRIES or (away.retry_after or 0.0) > LONGEST_PAUSE:
                    raise ServiceAway(f"the store: {away}", away.retry_after) from away
                await self.pause(pause_before(tried, away.retry_after))
            else:
                return

    async def _receive_from(self, begin: int, url: str, target: Path, size: int, progress: TransferProgress) -> None:
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        headers["Accept-Encoding"] = "identity"
        async with self.client.stream("GET", url, headers=headers) as response:
            if response.status_code in _AWAY:
                raise _Away(f"HTTP {response.status_code}", retry_after(response))
            if response.status_code == 416:  # the file is not what the store has
                target.unlink(missing_ok=True)
                return
            if not response.is_success:
                await response.aread()
                _check_refusal(response, target)
            found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            is_rest = response.status_code == 206 and found is not None and int(found[1]) == begin
            await self._write(response, target, begin if is_rest else 0, size, progress)

    async def _write(
        self, response: httpx.Response, target: Path, begin: int, size: int, progress: TransferProgress
    ) -> None:
        try:
            with target.open("r+b" if begin else "wb") as file:
                file.seek(begin)
                file.truncate()
                async for block in response.aiter_raw(_BLOCK):
                    block = block[: size - file.tell()]  # nobody fills the disk with more than the content has
                    await asyncio.to_thread(file.write, block)
                    progress.advance(len(block))
                    if file.tell() == size:
                        return
        except OSError as error:
            raise StagingFailed(target, error) from error


class _Away(Exception):
    """The store asks for patience."""

    def __init__(self, reason: str, retry_after: float | None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Counted:
    """The bytes of one attempt: taken back unless it is known to have succeeded."""

    def __init__(self, progress: TransferProgress) -> None:
        self._progress, self._sent = progress, 0

    def add(self, size: int) -> None:
        self._sent += size
        self._progress.advance(size)

    def take_back(self) -> None:
        self._progress.advance(-self._sent)
        self._sent = 0


async def _blocks(path: Path, offset: int, size: int, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The bytes of a file. Raises SaveChanged if it is shorter than it was."""
    with reading_file(path) as read:
        read.file.seek(offset)
        left = size
        while left:
            block = await asyncio.to_thread(read.read, min(_BLOCK, left))
            if not block:
                raise SaveChanged(path)
            left -= len(block)
            yield block
            sent(len(block))


def _check_refusal(response: httpx.Response, path: Path) -> None:
    """Raises what an answer of the store means; returns if the request may be repeated."""
    if response.status_code in _AWAY:
        return
    code = ""
    with suppress(UnicodeDecodeError):
        found = re.search(r"<Code>(\w+)</Code>", response.text)
        code = found[1] if found else ""
    if code in ("XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "InvalidDigest"):
        raise SaveChanged(path)
    name = code or f"HTTP_{response.status_code}"
    refusal = ServiceRefusal(response.status_code, name, "the store refused the request")
    if response.status_code in (403, 404) and code != "QuotaExceeded":
        raise UrlExpired(refusal)
    raise refusal


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
