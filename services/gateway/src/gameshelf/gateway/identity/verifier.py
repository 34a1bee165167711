"""JWT bearer tokens: signature, times, issuer, audience, and whom they name."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from gameshelf.gateway.identity.identity import Identity, Role, Unauthenticated, parse_uuid
from gameshelf.gateway.identity.keys import Key, KeySet
from gameshelf.kernel.clock import Clock, utc_now

MAX_TOKEN_CHARACTERS = 8192
LEEWAY = timedelta(seconds=30)
_MAX_CACHED = 10_000
_FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c"})
_ROLES = {role.value: role for role in Role}


class TokenVerifier:
    """Verifies tokens. A verified one is remembered, since checking a signature costs more than serving a page."""

    def __init__(
        self, keys: KeySet, issuer: str, audience: str, clock: Clock = utc_now, leeway: timedelta = LEEWAY
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._leeway = leeway
        self._verified: OrderedDict[str, tuple[Identity, int]] = OrderedDict()

    async def verify(self, token: str) -> Identity:
        """The caller that the token names. Raises Unauthenticated."""
        known = self._verified.get(token)
        if known is not None:
            await self._keys.refresh_if_old()
            identity, generation = known
            if generation == self._keys.generation:
                self._require_current(identity)
                self._verified.move_to_end(token)
                return identity
        identity = await self._check(token)
        self._verified[token] = (identity, self._keys.generation)
        if len(self._verified) > _MAX_CACHED:
            self._verified.popitem(last=False)
        return identity

    def _require_current(self, identity: Identity) -> None:
        if identity.expires_at is None or identity.expires_at <= self._clock() - self._leeway:
            raise Unauthenticated("expired")

    async def _check(self, token: str) -> Identity:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated("too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Unauthenticated("no token") from None
        if _FORBIDDEN_HEADERS & header.keys():
            raise Unauthenticated("a header that brings its own key or extension")
        key_id = header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise Unauthenticated("kid is no string")
        for key in await self._keys.find(key_id):
            # The algorithm is the key's: `none`, or HS256 with the public key as secret, fits no key.
            if key.algorithm == header.get("alg"):
                claims = self._claims(token, key)
                if claims is not None:
                    return self._identity(claims)
        raise Unauthenticated("no key of ours signed it")

    def _claims(self, token: str, key: Key) -> dict[str, Any] | None:
        try:
            # Times are checked below, with our clock.
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
            raise Unauthenticated(type(error).__name__) from None

    def _identity(self, claims: dict[str, Any]) -> Identity:
        now = self._clock()
        identity = Identity(_user_id(claims["sub"]), _roles(claims.get("roles")), _moment(claims["exp"], "exp"))
        self._require_current(identity)
        if "nbf" in claims and _moment(claims["nbf"], "nbf") > now + self._leeway:
            raise Unauthenticated("not valid yet")
        return identity


def _moment(value: object, claim: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated(f"{claim} is no number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unauthenticated(f"{claim} is out of range") from None


def _user_id(value: object) -> UUID:
    try:
        return parse_uuid(str(value))
    except ValueError:
        raise Unauthenticated("sub is no UUID") from None


def _roles(value: object) -> frozenset[Role]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(_ROLES[role] for role in value if isinstance(role, str) and role in _ROLES)
