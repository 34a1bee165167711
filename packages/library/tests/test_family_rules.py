"""The actions that each party may do in each state of a link, and its scope, on plain values."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from gameshelf.library import LinkMode, LinkStatus, Party
from gameshelf.library._family.rules import Action, Scope, effective, may_invite, transition

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PENDING, ACTIVE, REVOKED, DECLINED, BY_ADMIN = LinkStatus

# All that is allowed (contract, section 3.2); everything else is not.
ALLOWED = {
    (PENDING, Action.ACCEPT, Party.MEMBER): ACTIVE,
    (PENDING, Action.DECLINE, Party.MEMBER): DECLINED,
    (PENDING, Action.REVOKE, Party.OWNER): REVOKED,
    (PENDING, Action.REVOKE, Party.MEMBER): DECLINED,
    (PENDING, Action.REVOKE, Party.ADMIN): BY_ADMIN,
    (PENDING, Action.REVOKE, Party.CLOCK): REVOKED,
    (ACTIVE, Action.REVOKE, Party.OWNER): REVOKED,
    (ACTIVE, Action.REVOKE, Party.MEMBER): DECLINED,
    (ACTIVE, Action.REVOKE, Party.ADMIN): BY_ADMIN,
    (ACTIVE, Action.REVOKE, Party.CLOCK): REVOKED,
    (REVOKED, Action.INVITE, Party.OWNER): PENDING,
    (DECLINED, Action.INVITE, Party.OWNER): PENDING,
    (BY_ADMIN, Action.INVITE, Party.ADMIN): PENDING,
}


@pytest.mark.parametrize(("status", "action", "by"), product(LinkStatus, Action, Party))
def test_a_link_goes_only_where_it_may(status, action, by):
    assert transition(status, action, by) == ALLOWED.get((status, action, by))


@pytest.mark.parametrize("status", LinkStatus)
def test_a_link_whose_time_has_run_out_counts_as_ended(status):
    is_living = status in (PENDING, ACTIVE)
    assert effective(status, NOW, NOW) == (REVOKED if is_living else status)
    assert effective(status, NOW + timedelta(seconds=1), NOW) == status
    assert effective(status, None, NOW) == status


def test_a_pair_is_invited_three_times_in_a_day():
    times = [NOW - timedelta(hours=hours) for hours in (23, 2, 1)]
    assert not may_invite(times, NOW)
    assert may_invite(times, NOW + timedelta(hours=1))
    assert may_invite(times[1:], NOW)


def test_a_scope_covers_all_or_only_some_or_all_but_some():
    named, other = uuid4(), uuid4()
    covered = {
        mode: (Scope.from_columns(mode, [named]).covers(named), Scope.from_columns(mode, [named]).covers(other))
        for mode in LinkMode
    }
    assert covered == {LinkMode.ALL: (True, True), LinkMode.ONLY: (True, False), LinkMode.EXCEPT: (False, True)}
