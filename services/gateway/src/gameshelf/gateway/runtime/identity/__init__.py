"""Identifies callers by bearer token or trusted proxy (contract, section 2)."""

from gameshelf.gateway.runtime.identity.identity import Identity, InvalidCredentials, Role, parse_uuid
from gameshelf.gateway.runtime.identity.keys import KeySet, PemKeys
from gameshelf.gateway.runtime.identity.proxies import TrustedProxies
from gameshelf.gateway.runtime.identity.remote_keys import RemoteKeys
from gameshelf.gateway.runtime.identity.verifier import TokenVerifier

__all__ = [
    "Identity",
    "InvalidCredentials",
    "KeySet",
    "PemKeys",
    "RemoteKeys",
    "Role",
    "TokenVerifier",
    "TrustedProxies",
    "parse_uuid",
]
