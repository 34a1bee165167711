"""The token of a client: asked for when it is needed, and once more when the service refuses it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import httpx
from gameshelf.client.errors import LibraryUnreachable

TokenProvider = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that returns the current one: it is called first, and each time the service refuses one."""


class TokenSource:
    """Keeps the token that was provided last."""

    def __init__(self, provider: TokenProvider) -> None:
        self._provider = provider
        self._token = provider if isinstance(provider, str) else None
        self._asking: asyncio.Task[str] | None = None

    async def current(self) -> str:
        """The token to send. Raises what the provider raises; failures of the network are LibraryUnreachable."""
        return self._token if self._token is not None else await self._asked()

    async def renewed(self, refused: str) -> str | None:
        """Another token than the refused one; None if there is none. However many wait, the provider is asked once."""
        if self._token == refused:
            if isinstance(self._provider, str):
                return None
            await self._asked()
        token = await self.current()
        return token if token != refused else None

    async def _asked(self) -> str:
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(self._end)
        # The first call that waits may be cancelled; the others still need the token.
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str:
        assert not isinstance(self._provider, str)
        try:
            said = self._provider()
            self._token = await said if inspect.isawaitable(said) else said
        except (OSError, httpx.TransportError) as error:  # a machine that wakes up has no network yet
            raise LibraryUnreachable(f"no token: {type(error).__name__} {error}".rstrip()) from error
        return self._token

    def _end(self, task: asyncio.Task[str]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # those who waited have it; if all of them were cancelled, nobody needs it
