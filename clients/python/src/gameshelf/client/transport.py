"""The requests of all calls: token, key, retries, errors, kept answers."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx
from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import (
    ForeignAnswer,
    LibraryProblem,
    LibraryRefusal,
    LibraryUnreachable,
    TokenUnavailable,
)
from gameshelf.client.etags import EtagStore, KeptAnswer, subject_of, user_of
from gameshelf.client.pools import connection_of
from gameshelf.client.retries import Attempts, RetryRules, is_temporary, retry_after
from gameshelf.client.returns import Returns
from gameshelf.client.tokens import TokenSource

PauseFor = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the service."""

    method: str
    path: str
    """Relative to the API, with its ids."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Values that are None are left out; lists are comma separated."""
    attributes: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    takes_key: bool = False
    key: str | None = None
    """The caller's own Idempotency-Key. Without one the call has a random one, the same for all its tries."""
    has_etag: bool = False
    is_read: bool = False
    """Whether it changes nothing, though its method is POST."""


class Transport:
    """Sends calls until they are answered."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: TokenSource,
        *,
        base_url: str,
        headers: Mapping[str, str],
        rules: RetryRules,
        etags: EtagStore | None = None,
        pause: PauseFor = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``base_url`` is the address of the API, ``…/api/v1/library``; ``headers`` are those of all calls."""
        self._base_url = base_url.rstrip("/")
        self._http, self.tokens, self._headers = http, tokens, _checked({"Accept": "application/json", **headers})
        self._rules, self._etags, self._pause, self._clock = rules, etags, pause, clock
        self.returns = Returns()
        self._timeout: httpx.Timeout | None = None
        """Of one try; None: that of ``http``."""
        self._user: str | None = None
        """The player that all calls are for; None: the player of the token that there is."""

    def with_options(
        self,
        headers: Mapping[str, str | None],
        timeout_seconds: float | None,
        rules: RetryRules | None,
        user: str | None,
    ) -> Self:
        """The same with other options; it shares connections, token and kept answers."""
        other = copy(self)
        given = {name: value for name, value in headers.items() if value is not None}
        other._headers = {**self._headers, **_checked(given)}
        other._timeout = httpx.Timeout(timeout_seconds) if timeout_seconds is not None else self._timeout
        other._rules, other._user = rules or self._rules, user or self._user
        return other

    async def send(self, call: Call) -> LibraryAnswer[Any]:
        """Raises LibraryRefusal, LibraryUnreachable or ForeignAnswer."""
        attempts = Attempts(self._rules, self._clock())
        headers = self._headers_of(call)
        kept, kept_key = await self._kept(call)
        response = await self._authorized(call, {**headers, "If-None-Match": kept.etag} if kept else headers, attempts)
        if response.status_code == 304 and kept:
            if kept_key == self._kept_key(call, _token_of(response)):
                return _answer(response, kept.body)
            response = await self._authorized(call, headers, attempts)  # the token has become another user's
        if response.is_success:
            answer = _answer(response, response.content)
            if self._etags is not None and call.has_etag and answer.etag:
                self._etags.put(self._kept_key(call, _token_of(response)), KeptAnswer(answer.etag, response.content))
            return answer
        if response.status_code == 404 and call.method == "DELETE" and attempts.may_be_applied:
            # An earlier try has deleted it, and its answer was lost.
            return LibraryAnswer(None, 204, headers=response.headers)
        raise refusal_of(response, is_repeated=attempts.may_be_applied)

    async def _authorized(self, call: Call, headers: Mapping[str, str], attempts: Attempts) -> httpx.Response:
        """A token that has expired is renewed once. A second 401 is the caller's."""
        response = await self._answered(call, headers, attempts)
        if response.status_code == 401 and await self.tokens.renewed(_token_of(response)) is not None:
            response = await self._answered(call, headers, attempts)
        return response

    async def _answered(self, call: Call, headers: Mapping[str, str], attempts: Attempts) -> httpx.Response:
        """The first answer that is not temporary."""
        content = None
        if call.attributes is not None:
            content = json.dumps({"data": {"attributes": call.attributes}}, ensure_ascii=False).encode()
        while True:
            said, is_connection, refusal = None, False, None
            authorization = {"Authorization": f"Bearer {await self._token()}"}
            try:
                async with connection_of(self._http) as extensions:
                    response = await self._http.request(
                        call.method,
                        f"{self._base_url}/{call.path}",
                        params=_query(call.query),
                        content=content,
                        headers={**headers, **authorization},
                        follow_redirects=False,
                        timeout=self._timeout or httpx.USE_CLIENT_DEFAULT,
                        extensions=extensions,
                    )
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{self._base_url}: {type(error).__name__} {error}".rstrip()
                is_connection = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                self.returns.note(None)
            else:
                check_origin(response)
                self.returns.note(response.status_code)
                if not is_temporary(response.status_code, call.method, call.takes_key or call.is_read):
                    return response
                said = retry_after(response.headers)
                try:
                    refusal = refusal_of(response)
                    reason = str(refusal)
                except ForeignAnswer as foreign:
                    reason = str(foreign)
            pause = attempts.failed(self._clock(), said, is_connection=is_connection)
            if pause is None:
                raise LibraryUnreachable(reason, said, refusal)
            await self._pause(pause)

    async def _token(self) -> str:
        token = await self.tokens.current()
        if self._user is not None and subject_of(token) != self._user:
            raise TokenUnavailable("no token of this player: another one has signed in")
        return token

    async def _kept(self, call: Call) -> tuple[KeptAnswer | None, str]:
        if self._etags is None or not call.has_etag:
            return None, ""
        key = self._kept_key(call, await self.tokens.current())
        return self._etags.get(key), key

    def _headers_of(self, call: Call) -> dict[str, str]:
        headers = {**self._headers, **{name: value for name, value in call.headers.items() if value is not None}}
        if call.attributes is not None:
            headers["Content-Type"] = "application/json"
        if call.takes_key:
            headers["Idempotency-Key"] = call.key or str(uuid4())
        return _checked(headers)

    def _kept_key(self, call: Call, token: str) -> str:
        address = httpx.URL(call.path, params=_query(call.query))
        return "\n".join((call.method, str(address), self._headers.get("Accept-Language", ""), user_of(token)))


def check_address(url: str) -> None:
    """Raises ValueError for one that no waiting makes right, such as one without ``https://``."""
    try:
        is_good = httpx.URL(url).scheme in ("http", "https") and bool(httpx.URL(url).host)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is no address: {error}") from error
    if not is_good:
        raise ValueError(f"{url!r} is no address of HTTP: it begins with https:// or http://")


def _checked(headers: dict[str, str]) -> dict[str, str]:
    """Headers that can be sent. ``httpx`` takes a character that cannot be for a network that has failed."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name} has other than printable ASCII characters: {value!r}")
    return headers


def _token_of(response: httpx.Response) -> str:
    return response.request.headers["Authorization"].removeprefix("Bearer ")


def _query(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(_text, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def check_origin(response: httpx.Response) -> None:
    """Raises ForeignAnswer for what the service never answers: the page of a hotspot or of a proxy."""
    is_page = response.is_success and "html" in response.headers.get("Content-Type", "")
    if is_page or response.has_redirect_location or response.status_code == 511:
        what = response.headers.get("Location") or response.headers.get("Content-Type") or "no content"
        raise ForeignAnswer(str(response.url), response.status_code, what)


def refusal_of(response: httpx.Response, *, is_repeated: bool = False) -> LibraryRefusal:
    """What the service has refused. Raises ForeignAnswer for an answer without its envelope."""
    try:
        problems = [_problem(one) for one in response.json()["errors"]]
        return LibraryRefusal(response.status_code, problems, response.headers, is_repeated=is_repeated)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        what = response.headers.get("Content-Type") or response.reason_phrase
        raise ForeignAnswer(str(response.url), response.status_code, what) from error


def _problem(entry: Any) -> LibraryProblem:
    source = entry.get("source") or {}
    return LibraryProblem(
        str(entry["code"]),
        entry.get("title") or "",
        entry.get("detail") or "",
        source.get("pointer") or "",
        source.get("parameter") or "",
        dict(entry.get("meta") or {}),
    )


def _answer(response: httpx.Response, body: bytes) -> LibraryAnswer[Any]:
    status = 200 if response.status_code == 304 else response.status_code
    if status == 204:
        return LibraryAnswer(None, status, headers=response.headers)
    try:
        document = json.loads(body)
        data, meta, links = document["data"], document.get("meta") or {}, document.get("links") or {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = response.headers.get("Content-Type") or "no content"
        raise ForeignAnswer(str(response.url), response.status_code, what) from error
    return LibraryAnswer(data, status, meta, links, response.headers)
