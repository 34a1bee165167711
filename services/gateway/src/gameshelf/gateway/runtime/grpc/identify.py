"""Identifies the caller of a gRPC call by token and certificate, and applies the rate limits of address and caller."""

from typing import Any
from urllib.parse import unquote

from gameshelf.gateway.runtime.errors import Unauthenticated
from gameshelf.gateway.runtime.identity import Identity, InvalidCredentials, Role, TokenVerifier
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.kernel.errors import PermissionDenied


class ServiceCertificates:
    """Checks the client certificate that role ``service`` needs; accepts any caller if TLS is not required."""

    def __init__(self, required: bool, names: tuple[str, ...]) -> None:
        self._required = required
        self._names = frozenset(names)

    def check(self, identity: Identity, auth_context: Any) -> None:
        """Raises PermissionDenied for a service without a certificate of a listed name."""
        if not self._required or Role.SERVICE not in identity.roles:
            return
        if not certificate_names(auth_context) & self._names:
            raise PermissionDenied


def certificate_names(auth_context: Any) -> frozenset[str]:
    """Returns the names that a peer's certificate stands for (RFC 6125, section 6.4.4).

    These are its alternative names of the kinds DNS and URI; e-mail and IP addresses are not names of services. The
    common name counts only if the certificate has no alternative name of any kind.
    """
    kinds = ("peer_dns", "peer_uri") if auth_context.get("x509_subject_alternative_name") else ("x509_common_name",)
    return frozenset(name.decode(errors="replace") for kind in kinds for name in auth_context.get(kind, ()))


class Callers:
    """Identifies callers. Calls that are not identified yet are limited by their address, like REST requests."""

    def __init__(self, verifier: TokenVerifier | None, certificates: ServiceCertificates, limits: RateLimits) -> None:
        self._verifier = verifier
        self._certificates = certificates
        self._limits = limits

    async def identify(self, context: Any) -> Identity:
        """Returns the caller. Raises RateLimitExceeded, Unauthenticated, PermissionDenied."""
        token = _bearer_token(context)
        known = await self._verifier.known(token) if self._verifier and token else None
        # Counting is cheaper than checking a signature, so it comes first. A service whose token is known is limited
        # as a service only, since it makes the calls of many players from one address.
        if known is None or Role.SERVICE not in known.roles:
            await self.limit_address(context)
        if self._verifier is None or token is None:
            raise InvalidCredentials("no bearer token")
        identity = known or await self._verifier.verify(token)
        self._certificates.check(identity, context.auth_context())
        if Role.SERVICE in identity.roles:
            await self._limits.of_service(str(identity.user_id))
        else:
            await self._limits.of_user(identity.user_id)
        return identity

    async def limit_address(self, context: Any) -> None:
        """Counts a call, or a message of a stream, from the peer's address. Raises RateLimitExceeded."""
        await self._limits.of_address(peer_address(context.peer()))

    def client_of(self, context: Any) -> str | None:
        """Returns the address under which a call is counted; None behind a trusted proxy."""
        return self._limits.client_of(peer_address(context.peer()))


def _bearer_token(context: Any) -> str | None:
    """Returns the token of the only ``authorization`` entry, None if there is none. Refuses several entries."""
    given = [value for name, value in context.invocation_metadata() or () if name == "authorization"]
    if len(given) > 1:
        # A proxy that checks the first one and a service that checks the last one would see different callers.
        raise Unauthenticated("repeated_authorization")
    scheme, _, token = (given[0] if given and isinstance(given[0], str) else "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def peer_address(peer: str) -> str:
    """Extracts the network address from gRPC's name of a peer: ``ipv4:10.0.0.7:4711``, ``ipv6:%5B::1%5D:4711``."""
    kind, _, address = unquote(peer).partition(":")
    return address.rpartition(":")[0].strip("[]").partition("%")[0] if kind in ("ipv4", "ipv6") else peer
