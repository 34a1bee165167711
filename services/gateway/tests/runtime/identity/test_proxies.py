"""X-User-Id counts only from a peer that is trusted."""

from ipaddress import ip_network
from uuid import uuid4

import pytest
from gameshelf.gateway.runtime.identity import InvalidCredentials, Role, TrustedProxies

USER = uuid4()
PROXIES = TrustedProxies([ip_network("10.1.0.0/16"), ip_network("::1/128")])


@pytest.mark.parametrize("peer", ["10.1.2.3", "::1", "::ffff:10.1.2.3"])
def test_a_trusted_peer_names_the_player(peer):
    identity = PROXIES.identify(peer, [str(USER)])
    assert (identity.user_id, identity.roles) == (USER, {Role.USER})


@pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "", "unix:", "10.1.2.3.evil"])
def test_nobody_else_does(peer):
    with pytest.raises(InvalidCredentials):
        PROXIES.identify(peer, [str(USER)])


@pytest.mark.parametrize(
    "values", [[], [str(USER), str(USER)], ["admin"], [""], [f"{USER},{USER}"], [USER.urn], [f"{{{USER}}}"]]
)
def test_exactly_one_user_is_named(values):
    with pytest.raises(InvalidCredentials):
        PROXIES.identify("10.1.2.3", values)


def test_without_a_network_there_is_nobody_to_trust():
    with pytest.raises(ValueError, match="network"):
        TrustedProxies([])
