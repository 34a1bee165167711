"""Where a gRPC call comes from."""

import pytest
from gameshelf.gateway.grpc.identify import peer_address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:4711", "10.0.0.7"),
        ("ipv6:%5B::1%5D:4711", "::1"),
        ("ipv6:[2001:db8::7]:4711", "2001:db8::7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:4711", "fe80::1"),
        ("ipv6:%5B::ffff:10.0.0.7%5D:4711", "::ffff:10.0.0.7"),
        ("unix:/run/library.sock", "unix:/run/library.sock"),
    ],
)
def test_the_address_of_a_peer_is_found_in_its_name(peer, address):
    assert peer_address(peer) == address
