"""What the groups of calls have in common."""

from collections.abc import Mapping
from copy import copy
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.paging import Pages
from gameshelf.client.retries import RetryRules
from gameshelf.client.transport import Call, Transport

AnyId = str | UUID
T = TypeVar("T")


class CallGroup:
    """Calls of one domain."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def with_options(
        self,
        *,
        language: str | None = None,
        request_id: str | None = None,
        timeout_seconds: float | None = None,
        retries: RetryRules | None = None,
        user: str | None = None,
    ) -> Self:
        """The same calls with other options: ``client.library.with_options(language="ru").get_item(…)``.

        ``request_id`` is the X-Request-ID of each request, for logs and traces. A try has failed when the network is
        silent for ``timeout_seconds``. ``user`` is the ``sub`` of the player that the calls are for: with another one's
        token they raise TokenUnavailable, and are not sent. What is left out stays as it is.
        """
        other = copy(self)
        other._transport = self._transport.with_options(
            {"Accept-Language": language, "X-Request-ID": request_id}, timeout_seconds, retries, user
        )
        return other

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        attributes: Any = None,
        headers: Mapping[str, str | None] | None = None,
        *,
        takes_key: bool = False,
        key: str | None = None,
        has_etag: bool = False,
        is_read: bool = False,
    ) -> LibraryAnswer[Any]:
        call = Call(method, path, query or {}, attributes, headers or {}, takes_key, key, has_etag, is_read)
        return await self._transport.send(call)

    def _pages(self, path: str, query: Mapping[str, Any], *, has_etag: bool = False) -> Pages[Any]:
        async def fetch(number: int, limit: int | None) -> LibraryAnswer[list[Any]]:
            return await self._send("GET", path, {**query, "page": number, "limit": limit}, has_etag=has_etag)

        return Pages(fetch, query.get("limit"))


def segment(value: AnyId | int) -> str:
    """A part of a path, with whatever a name may contain."""
    return quote(str(value), safe="")
