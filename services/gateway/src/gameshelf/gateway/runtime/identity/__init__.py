"""Identifies callers by bearer token or trusted proxy (contract, section 2)."""

from gameshelf.gateway.runtime.identity.identity import Identity, Role, Unauthenticated, parse_uuid
from gameshelf.gateway.runtime.identity.keys import KeySet, PemKeys
from gameshelf.gateway.runtime.identity.proxies import TrustedProxies
from gameshelf.gateway.runtime.identity.remote_keys import RemoteKeys
from gameshelf.gateway.runtime.identity.verifier import TokenVerifier

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
