"""The chain of reasons on a real PostgreSQL: it comes to what everybody else is answered, whatever happened before."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import DomainError
from gameshelf.library import (
    AccessExplained,
    CatalogProjection,
    GrantKind,
    LinkChanges,
    NewLink,
    ProductFact,
)
from gameshelf.library._reasons import concluded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


async def explained(family, game, user=None):
    return await AccessExplained(family.connection, family.players).explain(user or family.member, game)


async def catalog(family, game, **values):
    await CatalogProjection(family.connection).apply([ProductFact(game, family.now, values)])


async def test_an_owner_gets_their_grants_and_the_holder_of_their_seat(family):
    game = family.games[0]
    await catalog(family, game, title_ru="Лёд", is_free_to_play=False)
    await family.share()
    session, _ = await family.take(game)
    found = await explained(family, game, family.owner)
    assert (found.access.reason, found.start, found.deciding_link_id) == ("owned", "own_copy", None)
    assert (found.catalog.title_ru, found.catalog.family_sharing_allowed) == ("Лёд", None)
    assert [(one.kind, one.source_id, one.ended_at) for one in found.grants] == [("order", "o", None)]
    assert (found.own_seat.seat.session_id, found.own_seat.runs) == (session, True)
    assert found.links == []


async def test_an_unknown_product_is_explained_too(family):
    found = await explained(family, uuid4(), uuid4())
    assert (found.access.reason, found.start, found.catalog, found.item, found.grants, found.links) == (
        "not_owned",
        "refused",
        None,
        None,
        (),
        [],
    )


async def test_every_link_says_its_own_reason_and_the_one_that_decides_is_named(family):
    game, other = family.games
    owners = {reason: uuid4() for reason in ("shared", "out_of_scope", "link_ended", "link_pending", "no_game", "no")}
    for reason, owner in owners.items():
        await family.buy(owner, *([] if reason == "no_game" else [game]))
        scope = {"mode": "only", "product_ids": (other,)} if reason == "out_of_scope" else {}
        link = await family.links.invite(owner, NewLink(shared_with_user_id=family.member, **scope))
        match reason:
            case "link_pending":
                continue
            case "no":
                await family.links.decline(family.member, link.id)
                continue
        await family.links.accept(family.member, link.id)
        if reason == "link_ended":
            await family.links.revoke(owner, link.id, "admin")
    found = await explained(family, game)
    names = {owner: reason for reason, owner in owners.items()}
    said = {names[one.link.owner_user_id]: (one.reason, one.status.value) for one in found.links}
    assert said == {
        "shared": ("shared", "active"),
        "out_of_scope": ("out_of_scope", "active"),
        "link_ended": ("link_ended", "revoked_by_admin"),
        "link_pending": ("link_pending", "pending_approval"),
        "no_game": ("owner_does_not_own", "active"),
        "no": ("never_accepted", "declined_by_user"),
    }
    assert found.links[0].link.id == found.deciding_link_id == found.starting_link_id
    assert (found.access.reason, found.access.shared_from_user_id) == ("shared", owners["shared"])
    assert (found.start, [one.covers for one in found.links].count(False)) == ("shared_copy", 1)


async def test_a_seat_has_its_holder_and_whether_their_session_runs(family):
    game, rival = family.games[0], uuid4()
    await family.share()
    await family.share(member=rival)
    session, _ = await family.take(game, rival)
    found = await explained(family, game)
    [one] = found.links
    assert (found.access.has_access, found.start, found.starting_link_id) == (True, "seat_busy", one.link.id)
    assert (one.seat.seat.held_by_user_id, one.seat.seat.session_id, one.seat.runs) == (rival, session, True)
    family.players.sessions.clear()  # it ended without freeing the seat
    found = await explained(family, game)
    assert (found.start, found.links[0].seat.runs) == ("seat_busy", False)
    assert not found.links[0].is_busy(found.at + timedelta(minutes=2))


async def test_the_other_game_of_the_owner_that_the_member_plays_is_named(family):
    game, other = family.games
    await family.share()
    await family.take(other)
    found = await explained(family, game)
    assert (found.start, found.links[0].seat, found.links[0].other_seat.seat.product_id) == ("seat_busy", None, other)


async def test_an_owner_who_plays_is_named(family):
    game = family.games[0]
    await family.share()
    family.players.owners[family.owner, game] = family.now
    found = await explained(family, game)
    assert (found.start, found.links[0].owner_plays_since) == ("seat_busy", family.now)


MOVES = st.one_of(
    st.tuples(
        st.sampled_from(["buy", "refund", "invite", "accept", "decline", "revoke", "ban", "reopen", "take", "leave"]),
        st.integers(0, 1),
    ),
    st.tuples(st.sampled_from(["widen", "narrow", "brief", "play", "stop", "die"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["own", "give_back", "forbid", "allow", "free", "paid", "wait"]), st.just(0)),
)


class History:
    """Moves of two owners, their member and a rival for their seats, all of them about one game and another one."""

    def __init__(self, family):
        self.family = family
        self.owners = [uuid4(), uuid4()]
        self.member, self.rival = uuid4(), uuid4()
        self.game, self.other = uuid4(), uuid4()

    async def link_of(self, owner):
        return await self.family.connection.fetchval(
            "SELECT id FROM library.family_sharing_links WHERE owner_user_id = $1 AND shared_with_user_id = $2",
            owner,
            self.member,
        )

    async def play(self, move, place):
        family, owner, game = self.family, self.owners[place], self.game
        links, link_id = family.links, await self.link_of(owner)
        family.now += timedelta(seconds=1)
        match move:
            case "buy":
                await family.buy(owner, game, self.other)
            case "refund":
                await family.library.end_grants(owner, GrantKind.ORDER, "o", [game])
            case "own":
                await family.buy(self.member, game)
            case "give_back":
                await family.library.revoke(self.member, game)
            case "forbid" | "allow":
                await catalog(family, game, family_sharing_allowed=move == "allow")
            case "free" | "paid":
                await catalog(family, game, is_free_to_play=move == "free")
            case "wait":
                family.now += timedelta(minutes=1)
            case "invite":
                await links.invite(owner, NewLink(shared_with_user_id=self.member))
            case "play":
                family.players.owners[owner, game] = family.now
            case "stop":
                family.players.owners.pop((owner, game), None)
            case "take":
                await family.take((game, self.other)[family.now.second % 2], (self.member, self.rival)[place])
            case "leave" | "die":
                session = next(iter(family.players.sessions), None)
                family.players.sessions.discard(session)
                if move == "leave":
                    for each in self.owners:
                        await family.seats.release(each, self.rival, [session])
            case _ if link_id is None:
                return
            case "accept":
                await links.accept(self.member, link_id)
            case "decline":
                await links.decline(self.member, link_id)
            case "revoke":
                await links.revoke(owner, link_id)
            case "ban":
                await links.revoke(owner, link_id, "admin")
            case "reopen":
                await links.reopen(owner, link_id)
            case "widen":
                await links.change(owner, link_id, LinkChanges(mode="all"))
            case "narrow":
                await links.change(owner, link_id, LinkChanges(mode="except", product_ids=(game,)))
            case "brief":  # over for the database, whose clock is an hour ahead
                await links.change(owner, link_id, LinkChanges(expires_at=family.now + timedelta(seconds=30)))


@settings(
    max_examples=sized(37, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(MOVES, max_size=12))
async def test_the_explanation_agrees_with_access_and_with_a_start(family, moves):
    history = History(family)
    family.players.sessions.clear()
    family.players.owners.clear()
    [[database_now]] = await family.connection.fetch("SELECT now()")
    family.now = database_now - timedelta(hours=1)
    for owner in history.owners:  # so that most histories come to something; a rival is in reach of every seat
        await family.buy(owner, history.game, history.other)
        for member in (history.member, history.rival):
            await family.share(owner=owner, member=member)
    for move, place in moves:
        try:
            async with family.connection.transaction():
                await history.play(move, place)
        except DomainError:
            continue
    await family.refresh()
    found = await explained(family, history.game, history.member)
    [access] = await family.access.access([(history.member, history.game)])
    item = found.item
    owned = (item.acquisition_type, item.added_at) if item else (None, None)
    is_free = found.catalog is not None and found.catalog.is_free_to_play is True
    assert found.access == access == concluded(*owned, bool(found.grants), is_free, found.links)
    family.now = found.at
    savepoint = family.connection.transaction()
    await savepoint.start()
    try:
        _, copy = await family.take(history.game, history.member)
        came_to = ("shared_copy", copy.owner_user_id) if copy.owner_user_id else ("own_copy", None)
    except DomainError as error:
        busy = error.code == "FAMILY_SEAT_BUSY"
        came_to = ("seat_busy", error.meta["owner_user_id"]) if busy else ("refused", None)
    await savepoint.rollback()
    by = next((one.link.owner_user_id for one in found.links if one.link.id == found.starting_link_id), None)
    expected = str(by) if found.start == "seat_busy" else by
    assert came_to == (found.start, expected)


@pytest.mark.parametrize("user", ["owner", "member", "nobody"])
async def test_a_deciding_link_is_named_where_a_link_decides_alone(family, user):
    await family.share()
    found = await explained(family, family.games[0], getattr(family, user, uuid4()))
    assert (found.deciding_link_id is not None) is (user == "member")
