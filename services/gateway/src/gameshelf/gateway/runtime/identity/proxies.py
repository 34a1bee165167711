"""``AUTH_MODE=gateway``: an API gateway has identified the player, and says whom in ``X-User-Id``."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gameshelf.gateway.runtime.identity.identity import Identity, Role, Unauthenticated, parse_uuid

_PLAYER = frozenset({Role.USER})


class TrustedProxies:
    """The networks whose word is taken."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        """Raises ValueError when there is none: then anybody could be anybody."""
        if not networks:
            raise ValueError("at least one network is needed")
        self._networks = tuple(networks)

    def identify(self, peer_address: str, header_values: Sequence[str]) -> Identity:
        """The player that a trusted peer names; ``peer_address`` is the socket's. Raises Unauthenticated."""
        if not lies_in(peer_address, self._networks):
            raise Unauthenticated("the peer is not trusted")
        if len(header_values) != 1:
            raise Unauthenticated("exactly one X-User-Id is needed")
        try:
            return Identity(parse_uuid(header_values[0].strip()), _PLAYER)
        except ValueError:
            raise Unauthenticated("X-User-Id is no UUID") from None


def lies_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether a socket's address lies in one of the networks; an IPv4 address may be written as an IPv6 one."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def parse_address(address: str) -> IPv4Address | IPv6Address | None:
    """A socket's address, None for what is none. An IPv4 address that is written as an IPv6 one becomes what it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
