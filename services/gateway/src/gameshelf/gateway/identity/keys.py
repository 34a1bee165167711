"""The keys that tokens are verified with. Each key knows its one algorithm: a token does not choose."""

import asyncio
import json
import logging
import re
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_log = logging.getLogger(__name__)

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_MAX_JWKS_BYTES = 256 * 1024
_FETCH_SECONDS = 5
REFRESH_SECONDS = 30.0
"""How often an unknown key id may make us ask again."""
MAX_AGE_SECONDS = 300.0
"""How long a key that its issuer has withdrawn may still be taken."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the one algorithm that it verifies."""

    public: Any
    algorithm: str


def key_of(public: object) -> Key:
    """Binds a public key to its algorithm. Raises ValueError for one that we don't take."""
    if isinstance(public, RSAPublicKey):
        if public.key_size < 2048:
            raise ValueError("an RSA key needs at least 2048 bits")
        return Key(public, "RS256")
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return Key(public, "ES256")
    raise ValueError("only RSA and EC P-256 public keys are taken")


class KeySet(Protocol):
    """Where keys come from. ``generation`` changes when keys do."""

    generation: int

    async def find(self, key_id: str | None) -> list[Key]:
        """The keys that may have signed a token with this key id."""
        ...

    async def refresh_if_old(self) -> None:
        """Asks for the keys again where they may have changed."""
        ...


class PemKeys:
    """One or several public keys in a PEM file."""

    generation = 0

    def __init__(self, path: Path) -> None:
        """Raises ValueError for a file without a usable key, OSError for an unreadable one."""
        try:
            self._keys = [key_of(load_pem_public_key(block)) for block in _PEM.findall(path.read_bytes())]
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from None
        if not self._keys:
            raise ValueError("it holds no public key in PEM")

    async def find(self, key_id: str | None) -> list[Key]:
        return self._keys

    async def refresh_if_old(self) -> None:
        return


class RemoteKeys:
    """The keys of a JWKS URL, kept; while the URL is away the old ones stay in use."""

    def __init__(self, url: str) -> None:
        """Raises ValueError unless the URL is http or https."""
        if not url.startswith(("https://", "http://")):
            raise ValueError("a JWKS URL begins with https:// or http://")
        self.generation = 0
        self._url = url
        self._keys: dict[str | None, Key] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, key_id: str | None) -> list[Key]:
        await self.refresh_if_old()
        if key_id not in self._keys:
            await self._refresh(REFRESH_SECONDS)
        if key_id is None:
            return list(self._keys.values())
        return [self._keys[key_id]] if key_id in self._keys else []

    async def refresh_if_old(self) -> None:
        await self._refresh(MAX_AGE_SECONDS)

    async def _refresh(self, older_than: float) -> None:
        if time.monotonic() - self._asked_at < older_than:
            return
        async with self._asking:
            if time.monotonic() - self._asked_at < older_than:
                return  # somebody else has just asked
            self._asked_at = time.monotonic()
            try:
                keys = _parse(await asyncio.to_thread(_fetch, self._url))
            except (OSError, ValueError) as error:
                _log.warning("the JWKS could not be read, the known keys stay in use: %s", error)
                return
            if keys.keys() != self._keys.keys():
                self.generation += 1
            self._keys = keys


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_FETCH_SECONDS) as response:  # noqa: S310 - the scheme is checked
        body: bytes = response.read(_MAX_JWKS_BYTES + 1)
    if len(body) > _MAX_JWKS_BYTES:
        raise ValueError("the JWKS is too large")
    return body


def _parse(document: bytes) -> dict[str | None, Key]:
    entries = json.loads(document).get("keys", [])
    keys: dict[str | None, Key] = {}
    for entry in entries:
        if entry.get("use", "sig") != "sig":
            continue
        try:
            keys[entry.get("kid")] = key_of(PyJWK.from_dict(entry).key)
        except (ValueError, PyJWTError):
            continue  # a key of a kind that we don't take is no reason to lose the others
    return keys
