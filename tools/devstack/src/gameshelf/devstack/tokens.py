"""JWTs that the dev service accepts, signed with a key pair of this checkout."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

ISSUER = "gameshelf-dev"
AUDIENCE = "library-service"


class TokenIssuer:
    """Signs RS256 tokens. The public key lies beside the private one, for the service."""

    def __init__(self, directory: Path) -> None:
        """Takes the key pair of a directory, or makes one there."""
        directory.mkdir(parents=True, exist_ok=True)
        private, self.public_key_file = directory / "private.pem", directory / "public.pem"
        if not private.exists():
            key = generate_private_key(65537, 2048)
            self.public_key_file.write_bytes(
                key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            )
            private.touch(mode=0o600)
            private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        loaded = load_pem_private_key(private.read_bytes(), None)
        if not isinstance(loaded, RSAPrivateKey):
            raise ValueError(f"{private} holds no RSA key")
        self._private = loaded

    def issue(self, user_id: UUID | str, roles: Sequence[str] = ("user",), ttl: float = 3600, **claims: Any) -> str:
        """A token of ``user_id`` that is valid for ``ttl`` seconds; ``claims`` overrides any claim."""
        now = int(time.time())
        payload = {
            "sub": str(user_id),
            "roles": list(roles),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + int(ttl),
            **claims,
        }
        return jwt.encode(payload, self._private, algorithm="RS256")
