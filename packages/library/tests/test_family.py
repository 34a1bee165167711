"""Links, shared games and seats on a real PostgreSQL, without a service around them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.kernel.database import Statement
from gameshelf.kernel.errors import InvalidInput, PermissionDenied
from gameshelf.library import (
    ERASED_USER,
    GRACE,
    FamilyAccessRestricted,
    FamilyLinkInvalidState,
    FamilySeatBusy,
    ItemChanges,
    LinkChanges,
    LinkFilter,
    LinkMode,
    NewLink,
    Party,
)
from gameshelf.library._item_ids import item_id, item_id_sql
from sqlalchemy import Uuid, bindparam, select


async def test_the_id_of_a_shared_item_is_the_same_in_sql_and_in_python(family):
    user, product = uuid4(), uuid4()
    derived = item_id_sql(bindparam("u", type_=Uuid), bindparam("p", type_=Uuid)).label("id")
    found = await Statement(select(derived)).first(family.connection, u=user, p=product)
    assert found["id"] == item_id(user, product)


async def test_a_shared_item_keeps_its_id_and_its_state_through_everything(family):
    game = family.games[0]
    await family.share()
    before = (await family.shown(family.member))[game]
    assert (before.acquisition_type, before.shared_from_user_id) == ("family_shared_access", family.owner)
    changed = await family.library.update_item(family.member, before.id, ItemChanges(is_hidden=True), "ru")
    assert (changed.id, changed.is_hidden) == (before.id, True)
    assert game not in await family.shown(family.member)
    assert family.events_of("ItemUpdated")[-1].item_id == before.id
    await family.buy(family.member, game)
    owned = (await family.shown(family.member, include_hidden=True))[game]
    assert (owned.id, owned.is_hidden, owned.acquisition_type) == (before.id, True, "purchase")
    await family.library.refund(family.member, "o", {game: None}, "r", family.now)
    assert (await family.shown(family.member, include_hidden=True))[game].shared_from_user_id == family.owner


async def test_the_oldest_link_counts_and_a_shared_copy_is_not_shared_again(family):
    other, third = uuid4(), uuid4()
    await family.buy(other, family.games[0])
    await family.share(owner=other)
    family.now += timedelta(seconds=1)
    await family.share()
    shown = await family.shown(family.member)
    assert {item.product_id: item.shared_from_user_id for item in shown.values()} == {
        family.games[0]: other,
        family.games[1]: family.owner,
    }
    await family.share(owner=family.member, member=third)
    assert await family.shown(third) == {}


async def test_every_refusal_names_its_reason(family):
    game, other = family.games
    link = await family.share(mode=LinkMode.ONLY, product_ids=(game,))
    assert (await family.access.access([(family.member, game)]))[0].reason == "shared"
    with pytest.raises(FamilyAccessRestricted) as error:
        await family.take(other)
    assert error.value.meta == {"reason": "out_of_scope"}
    with pytest.raises(PermissionDenied) as error:
        await family.take(uuid4())
    assert (error.value.code, error.value.meta) == ("PERMISSION_DENIED", {"reason": "not_owned"})
    await family.links.revoke(family.owner, link.id)
    with pytest.raises(FamilyAccessRestricted) as error:
        await family.take(game)
    assert error.value.meta == {"reason": "link_ended"}


async def test_seats_are_numbered_and_held_until_they_are_released(family):
    game = family.games[0]
    rival = uuid4()
    await family.share()
    await family.share(member=rival)
    session, copy = await family.take(game)
    assert (copy.owner_user_id, copy.seat_number) == (family.owner, 1)
    with pytest.raises(FamilySeatBusy) as error:
        await family.take(game, rival)
    assert (error.value.meta["held_by_user_id"], error.value.meta["since"]) == (str(family.member), family.now)
    for owner, holder in ((uuid4(), family.member), (family.owner, rival)):
        await family.seats.release(owner, holder, [session])
        assert (await family.queries.seat(family.owner, game)).session_id == session, "it is another one's seat"
    await family.seats.release(family.owner, family.member, [session])
    _, copy = await family.take(game, rival)
    assert copy.seat_number == 2
    [seat] = await family.queries.seats(family.owner)
    assert (seat.held_by_user_id, seat.seat_number) == (rival, 2)
    assert await family.queries.seats(family.member) == [seat]
    assert await family.queries.seats(uuid4()) == []


async def test_of_seats_a_member_sees_those_of_games_that_are_shared_with_them(family):
    """A game that is not shared with a member stays hidden from them while another member plays it."""
    kept, game = family.games
    rival = uuid4()
    await family.share(mode=LinkMode.EXCEPT, product_ids=(kept,))
    link = await family.share(member=rival)
    await family.take(kept, rival)
    assert await family.queries.seats(family.member) == []
    [seat] = await family.queries.seats(family.owner)
    assert await family.queries.seats(rival) == [seat]
    await family.take(game)
    assert [seat.product_id for seat in await family.queries.seats(family.member)] == [game]
    # Until their session has ended, who sits on a seat sees it.
    await family.links.change(family.owner, link.id, LinkChanges(mode=LinkMode.ONLY, product_ids=(game,)))
    assert {seat.product_id for seat in await family.queries.seats(rival)} == {kept, game}


async def test_a_page_past_the_end_of_the_links_knows_how_many_there_are(family):
    for _ in range(3):
        await family.share(member=uuid4())
    for direction, total in ((None, 3), ("owner", 3), ("member", 0)):
        past = await family.queries.links(family.owner, LinkFilter(page=9, limit=2, direction=direction), family.now)
        assert (past.items, past.total) == ([], total)


async def test_who_may_have_played_a_copy_since_a_moment(family):
    """Members, those whose link has ended since or a day before, and those who were invited again."""
    ended, again, invited = uuid4(), uuid4(), uuid4()
    await family.share()
    for member in (ended, again):
        link = await family.share(member=member)
        await family.links.revoke(member, link.id)
    await family.links.invite(family.owner, NewLink(shared_with_user_id=again))
    await family.links.invite(family.owner, NewLink(shared_with_user_id=invited))
    living = {family.owner, family.member, again, invited}
    day = timedelta(days=1)
    for since, players in ((timedelta(), living | {ended}), (day / 2, living | {ended}), (2 * day, living)):
        assert await family.seats.players({family.owner}, family.now + since) == players
    other = uuid4()
    assert await family.seats.players({family.owner, other}, family.now + 2 * day) == living | {other}


async def test_a_seat_whose_session_is_nowhere_is_free_after_a_minute(family):
    game, rival = family.games[0], uuid4()
    await family.share()
    await family.share(member=rival)
    await family.take(game)
    family.players.sessions.clear()
    with pytest.raises(FamilySeatBusy):
        await family.take(game, rival)
    family.now += timedelta(seconds=60)
    _, copy = await family.take(game, rival)
    assert copy.seat_number == 2


async def test_the_owners_start_sets_the_deadline_once(family):
    game = family.games[0]
    await family.share()
    session, _ = await family.take(game)
    for _ in range(2):
        _, copy = await family.take(game, family.owner)
        assert (copy.owner_user_id, copy.seat_number) == (None, None)
        family.now += timedelta(seconds=10)
    [reclaimed] = family.events_of("SeatReclaimed")
    assert (reclaimed.user_id, reclaimed.session_id) == (family.member, session)
    assert reclaimed.lost_at == family.now - timedelta(seconds=20) + GRACE
    assert await family.queries.lost_seats(reclaimed.lost_at - timedelta(seconds=1), 10) == []
    [lost] = await family.queries.lost_seats(reclaimed.lost_at, 10)
    assert lost.session_id == session


async def test_a_narrower_scope_withdraws_what_is_played_of_the_rest(family):
    game, other = family.games
    link = await family.share()
    await family.take(game)
    await family.links.change(family.owner, link.id, LinkChanges(mode=LinkMode.EXCEPT, product_ids=(other,)))
    assert family.events_of("ShareWithdrawn") == []
    await family.links.change(family.owner, link.id, LinkChanges(product_ids=(game,)))
    [withdrawn] = family.events_of("ShareWithdrawn")
    assert (withdrawn.user_id, withdrawn.owner_user_id, withdrawn.product_ids) == (family.member, family.owner, (game,))


async def test_only_an_admin_reopens_what_an_admin_ended(family):
    link = await family.share()
    await family.links.revoke(family.owner, link.id, Party.ADMIN)
    with pytest.raises(FamilyLinkInvalidState) as error:
        await family.links.invite(family.owner, NewLink(shared_with_user_id=family.member))
    assert error.value.meta["status"] == "revoked_by_admin"
    again = await family.links.invite(family.owner, NewLink(shared_with_user_id=family.member), Party.ADMIN)
    assert (again.id, again.status) == (link.id, "pending_approval")


async def test_a_link_that_runs_out_is_over_before_it_is_written_down(family):
    link = await family.share(expires_at=family.now + timedelta(seconds=0.5))
    assert not await family.links.expire(family.owner, link.id)
    family.now += timedelta(seconds=1)
    [listed] = (await family.queries.links(family.owner, LinkFilter(), family.now)).items
    assert listed.status == "revoked_by_owner"
    with pytest.raises(FamilyLinkInvalidState):
        await family.links.revoke(family.owner, link.id)
    assert await family.queries.expired(family.now, 10) == [(family.owner, link.id)]
    assert await family.links.expire(family.owner, link.id)
    assert not await family.links.expire(family.owner, link.id)


async def test_a_new_invitation_ends_play_by_an_expired_link(family):
    await family.share(expires_at=family.now + timedelta(seconds=0.5))
    session, _ = await family.take(family.games[0])
    family.now += timedelta(seconds=1)
    again = await family.links.invite(family.owner, NewLink(shared_with_user_id=family.member))
    assert again.status == "pending_approval"
    assert not await family.links.expire(family.owner, again.id)  # so no job withdraws the seat
    [withdrawn] = family.events_of("ShareWithdrawn")
    assert (withdrawn.user_id, withdrawn.session_id) == (family.member, session)


async def test_an_end_in_the_past_and_products_without_a_meaning_are_refused(family):
    for wrong in ({"expires_at": family.now}, {"product_ids": (uuid4(),)}):
        with pytest.raises(InvalidInput):
            await family.share(**wrong)
    with pytest.raises(InvalidInput):
        await family.share(member=family.owner)


async def test_dissolving_deletes_all_rows_and_notifies_the_others(family):
    other = uuid4()
    await family.share()
    await family.share(owner=other, member=family.owner)
    await family.take(family.games[0])
    family.events.clear()
    for owner_id, link_id, _ in await family.queries.links_of(family.owner, (), 100):
        await family.links.dissolve(family.owner, owner_id, link_id)
        await family.links.dissolve(family.owner, owner_id, link_id)
    while await family.links.delete_seats(family.owner, 100):
        pass
    updates = family.events_of("LinkUpdated")
    assert {event.user_id: (event.owner_user_id, event.shared_with_user_id) for event in updates} == {
        family.member: (ERASED_USER, family.member),
        other: (other, ERASED_USER),
    }
    assert [event.user_id for event in family.events_of("ShareWithdrawn")] == [family.member]
    for table in ("family_sharing_links", "family_memberships", "family_seats"):
        assert await family.connection.fetchval(f"SELECT count(*) FROM library.{table}") == 0
