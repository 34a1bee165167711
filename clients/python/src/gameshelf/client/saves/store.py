"""Signed requests to the object store: bytes up, and bytes down into a file that is resumed.

The store knows nothing of the service but its signatures, and never gets the token.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from gameshelf.client.errors import ContentChanged, LibraryError, LibraryUnreachable, StoreRefusal
from gameshelf.client.pools import connection_of
from gameshelf.client.retries import RetryRules, pause_before, retry_after
from gameshelf.client.saves.contents import SaveBytes, blocks_of, name_of
from gameshelf.client.saves.signatures import hide_signatures
from gameshelf.client.saves.store_answers import StoreMeaning, code_of, is_busy, meaning_of
from gameshelf.client.saves.tickets import StoreRequest
from gameshelf.client.transport import PauseFor

CountBytes = Callable[[int], None]
"""Is called with the bytes that were transferred; a request that has failed takes its own back."""
_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class SignatureRefused(Exception):
    """The store does not accept the request, as far as can be seen: it needs a fresh signature.

    ``reason`` is what to raise if fresh signatures are not accepted either.
    """

    def __init__(self, reason: LibraryError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def count_nothing(_size: int) -> None:
    """For callers that show no progress."""


@dataclass(frozen=True, slots=True)
class TransferStore:
    """Sends requests until they are answered. Tries are counted, not the time: a slow network only takes longer."""

    http: httpx.AsyncClient
    pause: PauseFor = asyncio.sleep
    rules: RetryRules = RetryRules()  # noqa: RUF009 - it is frozen

    def __post_init__(self) -> None:
        hide_signatures()

    async def send(self, request: StoreRequest, content: SaveBytes, count: CountBytes = count_nothing) -> None:
        """Sends a content or a part of it.

        Raises SignatureRefused, ContentChanged, StoreRefusal, LibraryUnreachable, or OSError for a file that cannot
        be read.
        """
        headers = httpx.Headers({"Content-Type": "application/octet-stream"})
        headers.update(request.headers)  # whatever their case is: a header that is there twice breaks the signature
        headers["Content-Length"] = str(request.size)
        for tried in range(1, self.rules.tries + 1):
            attempt, said, is_cut = _Attempt(count), None, False
            try:
                async with connection_of(self.http) as extensions:
                    response = await self.http.request(
                        request.method,
                        request.url,
                        content=blocks_of(content, request.offset, request.size, attempt.add),
                        headers=headers,
                        follow_redirects=False,
                        extensions=extensions,
                    )
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{type(error).__name__} {error}".rstrip()
                is_cut = isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)
            else:
                if response.is_success:
                    return
                attempt.take_back()
                _check_refusal(response, content)
                reason, said = f"HTTP {response.status_code}", retry_after(response.headers)
            attempt.take_back()
            if tried == self.rules.tries or (said or 0.0) > self.rules.longest_pause:
                break
            await self.pause(pause_before(tried, said))
        if is_cut:  # a refusal is lost where the store closes the connection before it has read the whole body
            raise SignatureRefused(LibraryUnreachable(f"the store: {reason}"))
        raise LibraryUnreachable(f"the store: {reason}", said)

    async def receive(self, url: str, target: Path, size: int, count: CountBytes = count_nothing) -> None:
        """Completes a file to its size, from where an earlier attempt ended. The caller compares its hash.

        Raises SignatureRefused, StoreRefusal, LibraryUnreachable, or OSError for a file that cannot be written.
        """
        failures = 0
        target.touch()
        while (begin := _size_of(target)) != size:
            said: float | None = None
            if begin > size:  # of another content, or of a store that sent too much
                target.unlink()
                continue
            try:
                await self._receive_from(begin, url, target, size, count)
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
            if failures == self.rules.tries or (said or 0.0) > self.rules.longest_pause:
                raise LibraryUnreachable(f"the store: {reason}", said)
            await self.pause(pause_before(failures, said))

    async def receive_once(self, url: str, target: Path, size: int) -> None:
        """Receives a content as a whole. A connection that ends is an error, for a caller that keeps no halves.

        Raises what ``receive`` does.
        """
        for tried in range(1, self.rules.tries + 1):
            try:
                await self._receive_from(0, url, target, size, count_nothing)
            except httpx.TransportError as error:
                raise LibraryUnreachable(f"the store: {type(error).__name__} {error}".rstrip()) from error
            except _Away as away:
                if tried == self.rules.tries or (away.retry_after or 0.0) > self.rules.longest_pause:
                    raise LibraryUnreachable(f"the store: {away}", away.retry_after) from away
                await self.pause(pause_before(tried, away.retry_after))
            else:
                return

    async def _receive_from(self, begin: int, url: str, target: Path, size: int, count: CountBytes) -> None:
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        headers["Accept-Encoding"] = "identity"
        async with (
            connection_of(self.http) as extensions,
            self.http.stream("GET", url, headers=headers, follow_redirects=False, extensions=extensions) as response,
        ):
            if is_busy(response.status_code):  # whatever follows: it may be much
                raise _Away(f"HTTP {response.status_code}", retry_after(response.headers))
            if response.status_code == 416:  # the file is not what the store has
                target.unlink(missing_ok=True)
                return
            if not response.is_success:
                await response.aread()
                _check_refusal(response, target)
                raise _Away(f"HTTP {response.status_code}", retry_after(response.headers))
            found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            is_rest = response.status_code == 206 and found is not None and int(found[1]) == begin
            await _write(response, target, begin if is_rest else 0, size, count)


class _Away(Exception):
    """The store asks for patience."""

    def __init__(self, reason: str, retry_after: float | None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Attempt:
    """The bytes of one attempt: taken back unless it is known to have succeeded."""

    def __init__(self, count: CountBytes) -> None:
        self._count, self._sent = count, 0

    def add(self, size: int) -> None:
        self._sent += size
        self._count(size)

    def take_back(self) -> None:
        if self._sent:
            self._count(-self._sent)
        self._sent = 0


async def _write(response: httpx.Response, target: Path, begin: int, size: int, count: CountBytes) -> None:
    with target.open("r+b" if begin else "wb") as file:
        file.seek(begin)
        file.truncate()
        at = begin
        async for block in response.aiter_raw(_BLOCK):
            block = block[: size - at]  # nobody fills the disk with more than the content has
            await asyncio.to_thread(file.write, block)
            at += len(block)
            count(len(block))
            if at == size:
                return


def _check_refusal(response: httpx.Response, content: SaveBytes) -> None:
    """Raises what an answer of the store means; returns if the request may be repeated."""
    code = code_of(response.content)
    refusal = StoreRefusal(response.status_code, code or f"HTTP_{response.status_code}")
    match meaning_of(response.status_code, code):
        case StoreMeaning.AGAIN:
            return
        case StoreMeaning.SIGN:
            raise SignatureRefused(refusal)
        case StoreMeaning.OTHER_BYTES if isinstance(content, bytes):  # they cannot change: a proxy has damaged them
            raise SignatureRefused(refusal)
        case StoreMeaning.OTHER_BYTES:
            raise ContentChanged(name_of(content))
    raise refusal


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
