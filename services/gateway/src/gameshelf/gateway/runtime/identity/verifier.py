"""Verifies JWT bearer tokens: signature, times, issuer, audience, subject and roles."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import jwt
from gameshelf.gateway.runtime.identity.identity import Identity, InvalidCredentials, Role, parse_uuid
from gameshelf.gateway.runtime.identity.keys import Key, KeySet
from gameshelf.kernel.clock import Clock, utc_now

MAX_TOKEN_CHARACTERS = 8192
LEEWAY = timedelta(seconds=30)
_MAX_CACHED = 10_000
FORGET_SECONDS = 30.0
"""How long a refused token is refused again without a check."""
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""Allowed values of ``typ`` (RFC 8725, section 3.11; RFC 9068, section 4): a logout token is not an access token."""
_FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c"})
_ROLES = {role.value: role for role in Role}


class TokenVerifier:
    """Verifies tokens and caches verified ones, since checking a signature costs more than serving a page."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        clock: Clock = utc_now,
        leeway: timedelta = LEEWAY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._leeway = leeway
        self._monotonic = monotonic
        self._verified: OrderedDict[str, tuple[Identity, int]] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    async def verify(self, token: str) -> Identity:
        """Returns the caller that the token names. Raises InvalidCredentials."""
        known = await self.known(token)
        if known is not None:
            return known
        identity = await self._check(token)
        self._verified[token] = (identity, self._keys.generation)
        if len(self._verified) > _MAX_CACHED:
            self._verified.popitem(last=False)
        return identity

    async def known(self, token: str) -> Identity | None:
        """Returns the caller of a token that was verified before; None if its signature has to be checked.

        Raises InvalidCredentials if the token has expired since.
        """
        found = self._verified.get(token)
        if found is None:
            return None
        await self._keys.refresh_if_old()
        identity, generation = found
        if generation != self._keys.generation:
            return None
        self._require_current(identity)
        self._verified.move_to_end(token)
        return identity

    def _require_current(self, identity: Identity) -> None:
        if identity.expires_at is None or identity.expires_at <= self._clock() - self._leeway:
            raise InvalidCredentials("expired")

    async def _check(self, token: str) -> Identity:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidCredentials("too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise InvalidCredentials("no token") from None
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise InvalidCredentials("a token of another type")
        if _FORBIDDEN_HEADERS & header.keys():
            raise InvalidCredentials("a header that brings its own key or extension")
        key_id = header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise InvalidCredentials("kid is not a string")
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        if self._was_refused(digest):
            raise InvalidCredentials("the token was refused a moment ago")
        # The key determines the algorithm, so `none`, and HS256 with the public key as secret, match no key.
        keys = [key for key in await self._keys.find_keys(key_id) if key.algorithm == header.get("alg")]
        if not keys:  # not remembered: the check was cheap, and the next fetch of keys may change its result
            raise InvalidCredentials("no known key signed it")
        try:
            claims = self._signed_claims(token, keys)
            identity = self._identity(claims)
        except InvalidCredentials:
            self._refused[digest] = (self._monotonic() + FORGET_SECONDS, self._keys.generation)
            if len(self._refused) > _MAX_CACHED:
                self._refused.popitem(last=False)
            raise
        if "nbf" in claims and _moment(claims["nbf"], "nbf") > self._clock() + self._leeway:
            raise InvalidCredentials("not valid yet")
        return identity

    def _signed_claims(self, token: str, keys: Sequence[Key]) -> dict[str, Any]:
        for key in keys:
            claims = self._claims(token, key)
            if claims is not None:
                return claims
        raise InvalidCredentials("no known key signed it")

    def _was_refused(self, digest: bytes) -> bool:
        """Returns whether the token was refused recently with the same keys, so that a check would refuse it again."""
        until, generation = self._refused.get(digest, (0.0, -1))
        return generation == self._keys.generation and self._monotonic() < until

    def _claims(self, token: str, key: Key) -> dict[str, Any] | None:
        try:
            # Times are checked below, with the injected clock.
            return jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            return None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise InvalidCredentials(type(error).__name__) from None

    def _identity(self, claims: dict[str, Any]) -> Identity:
        identity = Identity(_user_id(claims["sub"]), _roles(claims.get("roles")), _moment(claims["exp"], "exp"))
        self._require_current(identity)
        return identity


def _moment(value: object, claim: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCredentials(f"{claim} is not a number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidCredentials(f"{claim} is out of range") from None


def _user_id(value: object) -> UUID:
    try:
        return parse_uuid(str(value))
    except ValueError:
        raise InvalidCredentials("sub is not a UUID") from None


def _roles(value: object) -> frozenset[Role]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(_ROLES[role] for role in value if isinstance(role, str) and role in _ROLES)
