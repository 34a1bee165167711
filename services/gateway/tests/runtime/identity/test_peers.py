"""The address that a gRPC call comes from."""

import pytest
from gameshelf.gateway.runtime.grpc.identify import peer_address
from gameshelf.gateway.runtime.limits import counted_as


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


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::FFFF:0a00:0007", "10.0.0.7"),
        ("64:ff9b::10.0.0.7", "10.0.0.7"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("2001:0DB8:0000:0001:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::1", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::2%eth1", "fe80::/64"),
        ("unix:/run/library.sock", "unix:/run/library.sock"),
        ("", ""),
    ],
)
def test_an_address_counts_as_the_client_who_has_it(address, counted):
    """One client has as many IPv6 addresses as it wants, and several ways to write one."""
    assert counted_as(address) == counted
