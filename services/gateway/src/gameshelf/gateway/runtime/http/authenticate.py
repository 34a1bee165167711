"""Identifies the caller of the REST API or of a WebSocket by a token or by a trusted proxy."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from gameshelf.gateway.runtime.errors import Unauthenticated
from gameshelf.gateway.runtime.identity import Identity, InvalidCredentials, Role, TokenVerifier, TrustedProxies
from gameshelf.kernel.errors import PermissionDenied


class Caller(Protocol):
    """The part of a request or WebSocket that identification uses."""

    @property
    def headers(self) -> "Headers": ...

    @property
    def scope(self) -> object: ...


class Headers(Protocol):
    def get(self, key: str) -> str | None: ...

    def getlist(self, key: str) -> list[str]: ...


Authenticate = Callable[[Caller], Awaitable[Identity]]


def by_token(verifier: TokenVerifier) -> Authenticate:
    """Identifies callers by the bearer token in the header ``Authorization``."""

    async def authenticate(caller: Caller) -> Identity:
        given = caller.headers.getlist("Authorization")
        if len(given) > 1:
            # A proxy that checks the first one and a service that checks the last one would see different callers.
            raise Unauthenticated("repeated_authorization")
        scheme, _, token = (given[0] if given else "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise InvalidCredentials("no bearer token")
        return player(await verifier.verify(token.strip()))

    return authenticate


def by_proxy(proxies: TrustedProxies) -> Authenticate:
    """Identifies callers by ``X-User-Id`` of a trusted proxy, which is the socket's peer, never a forwarded address."""

    async def authenticate(caller: Caller) -> Identity:
        client = caller.scope.get("client")  # type: ignore[attr-defined]
        return player(proxies.identify(client[0] if client else "", caller.headers.getlist("X-User-Id")))

    return authenticate


def player(identity: Identity) -> Identity:
    """Returns the identity if it may act as a player. Raises PermissionDenied."""
    if Role.USER not in identity.roles:
        raise PermissionDenied
    return identity
