"""``AUTH_MODE=gateway``: an API gateway has identified the player, and names them in ``X-User-Id``."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gameshelf.gateway.runtime.identity.identity import Identity, InvalidCredentials, Role, parse_uuid

_PLAYER = frozenset({Role.USER})


class TrustedProxies:
    """The networks whose ``X-User-Id`` is trusted."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        """Raises ValueError if ``networks`` is empty."""
        if not networks:
            raise ValueError("at least one network is needed")
        self._networks = tuple(networks)

    def identify(self, peer_address: str, header_values: Sequence[str]) -> Identity:
        """Returns the player that a trusted peer names; ``peer_address`` is the socket's. Raises InvalidCredentials."""
        if not lies_in(peer_address, self._networks):
            raise InvalidCredentials("the peer is not trusted")
        if len(header_values) != 1:
            raise InvalidCredentials("exactly one X-User-Id is needed")
        try:
            return Identity(parse_uuid(header_values[0].strip()), _PLAYER)
        except ValueError:
            raise InvalidCredentials("X-User-Id is not a UUID") from None


def lies_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Returns whether a socket's address lies in one of the networks; it may be an IPv4-mapped IPv6 address."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def parse_address(address: str) -> IPv4Address | IPv6Address | None:
    """Parses a socket's address; returns None for anything else. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
