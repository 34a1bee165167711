"""Who is calling (contract, section 2)."""

from gameshelf.gateway.identity.identity import Identity, Role, Unauthenticated, parse_uuid
from gameshelf.gateway.identity.keys import KeySet, PemKeys
from gameshelf.gateway.identity.proxies import TrustedProxies
from gameshelf.gateway.identity.remote_keys import RemoteKeys
from gameshelf.gateway.identity.verifier import TokenVerifier

__all__ = [
    "Identity",
    "KeySet",
    "PemKeys",
    "RemoteKeys",
    "Role",
    "TokenVerifier",
    "TrustedProxies",
    "Unauthenticated",
    "parse_uuid",
]
