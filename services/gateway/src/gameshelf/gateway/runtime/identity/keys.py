"""The keys that verify tokens. Each key has exactly one algorithm, so a token cannot choose it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_PEM = re.compile(rb"-----BEGIN ((?:RSA )?PUBLIC KEY)-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the one algorithm that it verifies."""

    public: Any
    algorithm: str


def key_of(public: object) -> Key:
    """Binds a public key to its algorithm. Raises ValueError for an unsupported key."""
    if isinstance(public, RSAPublicKey):
        if public.key_size < 2048:
            raise ValueError("an RSA key needs at least 2048 bits")
        return Key(public, "RS256")
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return Key(public, "ES256")
    raise ValueError("only RSA and EC P-256 public keys are accepted")


class KeySet(Protocol):
    """A source of keys. ``generation`` changes when the keys change."""

    generation: int

    async def find_keys(self, key_id: str | None) -> Sequence[Key]:
        """Returns the keys that may have signed a token with this key id."""
        ...

    async def refresh_if_old(self) -> None:
        """Fetches the keys again if they may have changed."""
        ...


class PemKeys:
    """One or several public keys in a PEM file."""

    generation = 0

    def __init__(self, path: Path) -> None:
        """Raises ValueError for a file without a usable key, OSError for an unreadable one."""
        try:
            self._keys = [key_of(load_pem_public_key(found[0])) for found in _PEM.finditer(path.read_bytes())]
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from None
        if not self._keys:
            raise ValueError("it contains no public key in PEM")

    async def find_keys(self, key_id: str | None) -> Sequence[Key]:
        return self._keys

    async def refresh_if_old(self) -> None:
        return
