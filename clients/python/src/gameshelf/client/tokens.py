"""The token of a client: asked for when it is needed, and once more when the service refuses it."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable

from gameshelf.client.errors import LibraryError, TokenUnavailable

TokenProvider = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that returns the current one: it is called first, and each time the service refuses one.

If it raises an error, there is no token now: calls raise TokenUnavailable, games are played offline, and live updates
ask again. Where there will be none, as after a sign-out, it returns the refused one again.
"""
ANSWER_SECONDS = 30.0
"""A function that does not return in that time is called again, for the next call."""
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header."""


class TokenSource:
    """Keeps the token that was provided last."""

    def __init__(self, provider: TokenProvider) -> None:
        self._provider = provider
        self._token = _checked(provider, "the token") if isinstance(provider, str) else None
        self._asking: asyncio.Task[str] | None = None

    @property
    def known(self) -> str | None:
        """The token that was sent last; None if none was needed so far."""
        return self._token

    async def current(self) -> str:
        """The token to send. Raises TokenUnavailable if the provider fails."""
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
            async with asyncio.timeout(ANSWER_SECONDS):
                said = self._provider()
                self._token = _checked(await said if inspect.isawaitable(said) else said)
        except LibraryError:
            raise
        except Exception as error:  # a provider may use any library, and each has errors of its own for "no network"
            raise TokenUnavailable(f"no token: {type(error).__name__} {error}".rstrip()) from error
        return self._token

    def _end(self, task: asyncio.Task[str]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # those who waited have it; if all of them were cancelled, nobody needs it


def _checked(token: object, what: str = "the provider returned a text that") -> str:
    """A token as it can stand in a header. The token itself is in no message: messages are logged."""
    if not isinstance(token, str):
        raise TypeError(f"the provider returned {type(token).__name__}, not a text")
    if _TOKEN.fullmatch(token) is None:
        raise ValueError(f"{what} is empty, or has other than printable ASCII characters")
    return token
