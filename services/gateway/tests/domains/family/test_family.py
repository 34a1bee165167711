"""Family sharing over REST, gRPC, WebSocket and Kafka: who may do what in which state, what members see and play."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.devstack.answers import attributes_of, code_of
from gameshelf.devstack.events import CloudEvent
from gameshelf.protos.library.v1 import library_query_service_pb2 as queries
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as tracker
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import PlaytimeTrackerServiceStub
from websockets.asyncio.client import connect

GRACE = 8
INVALID = (409, "FAMILY_SHARING_LINK_INVALID_STATE")
UNKNOWN = (404, "FAMILY_LINK_NOT_FOUND")


@pytest.fixture(scope="module")
def service(platform):
    """A service whose owners get their copies back soon."""
    made = platform.service(FAMILY_SEAT_GRACE_SECONDS=str(GRACE))
    made.start()
    return made


def meta(response):
    return response.json()["errors"][0]["meta"]


class Family:
    """An owner with a game and a member, and what they do."""

    def __init__(self, owner, member, games):
        self.owner, self.member, self.games = owner, member, games
        self.id = None

    async def invite(self, **more):
        answer = await self.owner.post("/family/links", {"shared_with_user_id": str(self.member.id), **more})
        if answer.status_code == 201:
            self.id = answer.json()["data"]["id"]
        return answer

    async def act(self, who, action, **attributes):
        return await who.post(f"/family/links/{self.id}/{action}", attributes or None)

    async def change(self, who=None, **changes):
        answer = await (who or self.owner).patch(f"/family/links/{self.id}", changes)
        await self.member.keeps_shares()
        return answer

    async def share(self, **more):
        attributes_of(await self.invite(**more), 201)
        assert attributes_of(await self.act(self.member, "accept"))["status"] == "active"
        await self.member.keeps_shares()
        return self


async def start(player, game, **more):
    return await player.post("/playtime/sessions/start", {"product_id": str(game), **more})


async def end(player, session):
    return await player.post(f"/playtime/sessions/{session}/end")


async def beat(player, session):
    return await player.post(f"/playtime/sessions/{session}/heartbeat")


async def shown(player, **params):
    """The attributes of the library's items by product."""
    items = (await player.get("/items", limit=100, **params))["data"]
    return {item["attributes"]["product_id"]: item for item in items}


@pytest.fixture
async def family(new_player, wait_until):
    """An owner of three games, and somebody who has nothing yet."""
    owner, member = new_player(), new_player()
    games = [uuid4() for _ in range(3)]
    await owner.buys(*games)
    await wait_until(owner.products)
    return Family(owner, member, games)


async def bring(family, state, database):
    """Brings a link into a state by calls, or in the database where no call leads to it."""
    if state == "none":
        return
    attributes_of(await family.invite(), 201)
    if state == "active":
        await family.act(family.member, "accept")
    elif state == "declined_by_user":
        await family.act(family.member, "decline")
    elif state == "left":
        await family.act(family.member, "accept")
        await family.act(family.member, "revoke")
    elif state == "revoked_by_owner":
        await family.act(family.owner, "revoke")
    elif state in WRITTEN:
        await family.act(family.member, "accept")
        for table in ("family_sharing_links", "family_memberships"):
            await database.execute(f"UPDATE library.{table} SET {WRITTEN[state]} WHERE id = $1", UUID(family.id))


# The state after each call that is allowed in a state; all other calls are refused.
OUTCOMES = {
    "pending_approval": {
        ("member", "accept"): "active",
        ("member", "decline"): "declined_by_user",
        ("member", "revoke"): "declined_by_user",
        ("owner", "revoke"): "revoked_by_owner",
        ("owner", "change"): "pending_approval",
    },
    "active": {
        ("member", "revoke"): "declined_by_user",
        ("owner", "revoke"): "revoked_by_owner",
        ("owner", "change"): "active",
    },
    "declined_by_user": {("owner", "invite"): "pending_approval"},
    "left": {("owner", "invite"): "pending_approval"},
    "revoked_by_owner": {("owner", "invite"): "pending_approval"},
    "revoked_by_admin": {},
    "expired": {("owner", "invite"): "pending_approval"},
}
WRITTEN = {
    "revoked_by_admin": "status = 'revoked_by_admin'",
    "expired": "expires_at = now() - interval '1 second'",
}
CALLS = [
    *((who, action) for who in ("owner", "member", "stranger") for action in ("accept", "decline", "revoke", "change")),
    ("owner", "invite"),
]


@pytest.mark.parametrize("state", OUTCOMES)
async def test_in_every_state_every_call_by_everybody_does_what_it_should(family, new_player, platform, state):
    database = await asyncpg.connect(platform.dsn)
    people = {"owner": family.owner, "member": family.member, "stranger": new_player()}
    for who, action in CALLS:
        here = Family(new_player(), new_player(), []) if (who, action) in OUTCOMES[state] else family
        if here is not family:
            people |= {"owner": here.owner, "member": here.member}
        else:
            people |= {"owner": family.owner, "member": family.member}
        if here.id is None:
            await bring(here, state, database)
        if action == "change":
            answer = await here.change(people[who], mode="all")
        elif action == "invite":
            answer = await here.invite()
        else:
            answer = await here.act(people[who], action)
        expected = OUTCOMES[state].get((who, action))
        case = f"{who} {action} in {state}"
        if who == "stranger":
            assert code_of(answer) == UNKNOWN, case
        elif expected is None:
            assert code_of(answer) == INVALID, case
        else:
            assert answer.status_code in (200, 201), (case, answer.text)
            assert answer.json()["data"]["attributes"]["status"] == expected, case
    await database.close()


async def test_both_see_the_link_and_nobody_else(family, new_player):
    await family.share(mode="only", product_ids=[str(family.games[0])])
    for who, direction in ((family.owner, "owner"), (family.member, "member")):
        [listed] = (await who.get("/family/links"))["data"]
        assert (listed["id"], listed["attributes"]["direction"]) == (family.id, direction)
        assert listed["attributes"]["product_ids"] == [str(family.games[0])]
        assert (await who.get("/family/links", direction=direction, status="active"))["meta"]["total_items"] == 1
        assert (await who.get("/family/links", status="pending_approval,declined_by_user"))["data"] == []
        assert (await who.get(f"/family/links/{family.id}"))["data"] == listed
    assert (await family.owner.get("/family/links", direction="member"))["data"] == []
    stranger = new_player()
    assert (await stranger.get("/family/links"))["data"] == []
    assert code_of(await stranger.http.get(f"/family/links/{family.id}")) == UNKNOWN


async def test_shared_games_come_and_go_with_the_link(family, wait_until):
    owner, member, (one, two, three) = family.owner, family.member, family.games
    assert await shown(member) == {}
    await family.share(mode="except", product_ids=[str(two)])
    items = await shown(member)
    assert set(items) == {str(one), str(three)}
    item = items[str(one)]
    assert item["attributes"]["acquisition_type"] == "family_shared_access"
    assert item["attributes"]["shared_from_user_id"] == str(owner.id)
    assert set(await shown(member, shared="only")) == set(items)
    assert await shown(member, shared="exclude") == {}
    # The member's own state of a game that they don't own, and its id before and after it is written.
    changed = await member.patch(f"/items/{item['id']}", {"installation_status": "installed"})
    assert (attributes_of(changed)["installation_status"], changed.json()["data"]["id"]) == ("installed", item["id"])
    category = (await member.post("/categories", {"name": "Семейные"})).json()["data"]["id"]
    await member.patch(f"/items/{items[str(three)]['id']}", {"category_ids": [category]})
    assert set(await shown(member, category_id=category)) == {str(three)}
    assert (await member.get("/categories"))["data"][0]["attributes"]["item_count"] == 1
    attributes_of(await family.change(mode="only", product_ids=[str(two)]))
    assert set(await shown(member)) == {str(two)}
    late = uuid4()
    attributes_of(await family.change(mode="all"))
    await owner.buys(late)
    await wait_until(lambda: has(member, late))
    assert (await shown(member))[str(one)]["attributes"]["installation_status"] == "installed"
    await family.act(owner, "revoke")
    assert await shown(member) == {}
    assert (await member.http.get(f"/items/{item['id']}")).status_code == 404


async def has(player, product):
    return str(product) in await shown(player)


async def hasnt(player, product):
    return str(product) not in await shown(player)


async def test_the_etag_of_a_library_covers_what_others_share(family, wait_until):
    member = family.member

    async def tag(known=""):
        answer = await member.http.get("/items", headers={"If-None-Match": known} if known else {})
        return answer.status_code, answer.headers["ETag"]

    async def settled(updates):
        """The tag once the member has received all changes by the other party, which move it too."""

        async def all_received():
            feed = (await member.get("/events", cursor="0"))["data"]
            links = sum(entry["attributes"]["event_type"] == "family.link.updated" for entry in feed)
            return links == updates

        await wait_until(all_received)
        await member.keeps_shares()
        return (await tag())[1]

    without = await settled(0)
    assert (await tag(without))[0] == 304
    await family.share()
    assert (await tag(without))[0] == 200
    shared = await settled(2)
    assert (await tag(shared))[0] == 304
    await family.change(mode="only", product_ids=[])
    assert (await tag(shared))[0] == 200
    assert (await tag(await settled(3)))[0] == 304
    await family.change(mode="all")
    again = await settled(4)
    await family.owner.buys(uuid4())

    async def renewed():
        return (await tag(again))[0] == 200

    await wait_until(renewed)
    before = await settled(4)
    await family.act(family.owner, "revoke")
    assert (await tag(before))[0] == 200


async def test_what_is_owned_beats_what_is_shared(family, wait_until):
    await family.share()
    game = family.games[0]
    shared = (await shown(family.member))[str(game)]
    bought = await family.member.buys(game)

    async def is_owned():
        return (await shown(family.member))[str(game)]["attributes"]["acquisition_type"] == "purchase"

    await wait_until(is_owned)
    assert (await shown(family.member))[str(game)]["id"] == shared["id"]
    await family.member.publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data))

    async def is_shared_again():
        return (await shown(family.member))[str(game)]["attributes"]["shared_from_user_id"] == str(family.owner.id)

    await wait_until(is_shared_again)


async def test_limits_of_members_owners_and_invitations(new_player, family):
    owner = family.owner
    for _ in range(5):
        invited = await owner.post("/family/links", {"shared_with_user_id": str(new_player().id)})
        assert invited.status_code == 201
    assert code_of(await family.invite()) == (422, "FAMILY_LIMIT_EXCEEDED")
    member = new_player()
    links = [Family(new_player(), member, []) for _ in range(6)]
    for link in links[:5]:
        await link.share()
    await links[5].invite()
    assert code_of(await links[5].act(member, "accept")) == (422, "FAMILY_LIMIT_EXCEEDED")
    await links[0].act(member, "revoke")
    assert attributes_of(await links[5].act(member, "accept"))["status"] == "active"
    pair = Family(new_player(), new_player(), [])
    for _ in range(3):
        assert (await pair.invite()).status_code == 201
        await pair.act(pair.member, "decline")
    assert code_of(await pair.invite()) == (422, "FAMILY_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"mode": "some"}, "mode"),
        ({"product_ids": ["x"]}, "product_ids/0"),
        ({"product_ids": [str(uuid4())]}, "product_ids"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
    ],
)
async def test_bad_invitations_name_the_field(family, wrong, field):
    refused = await family.invite(**wrong)
    assert code_of(refused) == (400, "VALIDATION_ERROR")
    assert refused.json()["errors"][0]["source"]["pointer"] == f"/data/attributes/{field}"


async def test_nobody_shares_with_themselves(family):
    refused = await family.owner.post("/family/links", {"shared_with_user_id": str(family.owner.id)})
    assert refused.json()["errors"][0]["source"]["pointer"] == "/data/attributes/shared_with_user_id"


async def access(service, metadata, user, product):
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        request = queries.CheckGameAccessRequest(user_id=str(user.id), product_id=str(product))
        return await LibraryQueryServiceStub(channel).CheckGameAccess(request, metadata=metadata)


async def end_soon(family):
    """Lets the link expire in some seconds. An end that is past once the service reads it is refused."""
    for seconds in (2, 10, 60):
        ends_at = datetime.now(UTC) + timedelta(seconds=seconds)
        changed = await family.change(expires_at=ends_at.isoformat())
        if changed.status_code == 200:
            break
    attributes_of(changed)
    return ends_at


async def test_access_is_answered_with_its_reason(family, service, caller, wait_until):
    owner, member, (game, other, forbidden) = family.owner, family.member, family.games
    metadata = caller(uuid4(), "service")

    async def reason(product=game):
        return (await access(service, metadata, member, product)).reason

    async def refused():
        return code_of(await start(member, game))

    assert (await reason(), await refused()) == ("not_owned", (403, "PERMISSION_DENIED"))
    await family.invite(mode="only", product_ids=[str(game), str(forbidden)])
    assert (await reason(), await refused()) == ("link_pending", (403, "PERMISSION_DENIED"))
    await family.act(member, "accept")
    await member.keeps_shares()
    found = await access(service, metadata, member, game)
    assert (found.has_access, found.reason, found.access_type) == (True, "shared", "family_shared_access")
    assert found.shared_from_user_id == str(owner.id)
    assert await reason(other) == "out_of_scope"
    said = {"productId": str(forbidden), "familySharingAllowed": False}
    await owner.publish(CloudEvent("com.platform.catalog.product.updated.v1", said))
    await wait_until(lambda: hasnt(member, forbidden))
    assert await reason(forbidden) == "sharing_forbidden"
    barred = await start(member, forbidden)
    assert (code_of(barred), meta(barred)) == ((403, "FAMILY_ACCESS_RESTRICTED"), {"reason": "sharing_forbidden"})
    assert await reason(uuid4()) == "not_owned"
    ends_at = await end_soon(family)
    await asyncio.sleep((ends_at - datetime.now(UTC)).total_seconds() + 0.1)
    assert await reason() in ("link_expired", "link_ended")
    assert await refused() == (403, "FAMILY_ACCESS_RESTRICTED")
    achievement = str(uuid4())
    said = {"productId": str(game), "achievements": [{"id": achievement}]}
    await owner.publish(CloudEvent("com.platform.catalog.product.updated.v1", said))

    async def is_defined():
        return (await member.get(f"/achievements/status/{game}"))["data"]

    await wait_until(is_defined)
    assert code_of(await member.post(f"/achievements/{achievement}/unlock")) == (403, "FAMILY_ACCESS_RESTRICTED")
    settings = {"data": {"attributes": {"settings_payload": {}}}}
    assert code_of(await member.http.put(f"/settings/{game}", json=settings)) == (403, "FAMILY_ACCESS_RESTRICTED")

    async def is_written_down():
        [link] = (await member.get("/family/links"))["data"]
        return link["attributes"]["status"] == "revoked_by_owner" and await reason() == "link_ended"

    await wait_until(is_written_down)


async def test_a_copy_has_one_seat(family, new_player):
    game = family.games[0]
    await family.share()
    second = Family(family.owner, new_player(), family.games)
    await second.share()
    session = await start(family.member, game)
    assert (attributes_of(session, 201)["status"], attributes_of(session, 201)["seat_number"]) == ("active", 1)
    again = await start(family.member, game)
    assert (again.status_code, again.json()["data"]["id"]) == (200, session.json()["data"]["id"])
    busy = await start(second.member, game)
    assert code_of(busy) == (409, "FAMILY_SEAT_BUSY")
    assert meta(busy)["held_by_user_id"] == str(family.member.id)
    assert meta(busy)["since"]
    assert meta(busy)["session_id"] is None
    for who in (family.owner, family.member, second.member):
        [seat] = (await who.get("/family/seats"))["data"]
        assert seat["attributes"]["held_by_user_id"] == str(family.member.id)
    # A member has one seat of an owner at a time, on all devices together.
    other = await start(family.member, family.games[1])
    assert (code_of(other), meta(other)["product_id"]) == ((409, "FAMILY_SEAT_BUSY"), str(game))
    assert code_of(await start(family.member, game, device_id="deck")) == (409, "FAMILY_SEAT_BUSY")
    await end(family.member, session.json()["data"]["id"])
    assert attributes_of(await start(second.member, game), 201)["seat_number"] == 2
    [link] = (await second.member.get("/family/links"))["data"]
    assert link["attributes"]["last_access_at"]


async def test_of_several_owners_the_next_one_whose_seat_is_free_counts(family, new_player, wait_until):
    game = family.games[0]
    other_owner = new_player()
    await other_owner.buys(game)
    await wait_until(other_owner.products)
    await family.share()
    await Family(other_owner, family.member, [game]).share()
    rival = Family(family.owner, new_player(), [game])
    await rival.share()
    attributes_of(await start(rival.member, game), 201)
    session = await start(family.member, game)
    assert session.status_code == 201
    [seat] = [
        seat["attributes"]
        for seat in (await family.member.get("/family/seats"))["data"]
        if seat["attributes"]["held_by_user_id"] == str(family.member.id)
    ]
    assert seat["owner_user_id"] == str(other_owner.id)


async def test_of_two_members_who_start_at_the_same_instant_one_gets_the_seat(family, new_player):
    game = family.games[0]
    members = [Family(family.owner, new_player(), [game]) for _ in range(5)]
    for each in members:
        await each.share()
    for _ in range(5):
        answers = await asyncio.gather(*(start(each.member, game) for each in members))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
        [won] = [number for number, answer in enumerate(answers) if answer.status_code == 201]
        await end(members[won].member, answers[won].json()["data"]["id"])


async def test_an_owner_always_may_play_and_the_member_plays_on_for_the_grace(
    family, service, next_message, wait_until, new_player
):
    owner, member, game = family.owner, family.member, family.games[0]
    await family.share()
    rival = Family(owner, new_player(), [game])
    await rival.share()
    session = (await start(member, game)).json()["data"]["id"]
    assert "X-Seat-Lost-At" not in (await beat(member, session)).headers
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {member.token}"}) as socket:
        await next_message(socket, greeting=True)
        own = (await start(owner, game)).json()["data"]["id"]
        lost_at = (await beat(member, session)).headers["X-Seat-Lost-At"]
        reclaimed = await next_message(socket)
        while reclaimed["event_type"] == "family.library.updated":  # a job sends it for the new link at any time
            reclaimed = await next_message(socket)
        assert reclaimed["event_type"] == "family.seat.reclaimed"
        assert reclaimed["payload"] == {
            "owner_user_id": str(owner.id),
            "product_id": str(game),
            "session_id": session,
            "lost_at": lost_at,
            "grace_seconds": GRACE,
        }
        # The deadline is set once, and nobody else gets the seat meanwhile.
        await end(owner, own)
        await end(owner, (await start(owner, game)).json()["data"]["id"])
        assert (await beat(member, session)).headers["X-Seat-Lost-At"] == lost_at
        assert code_of(await start(rival.member, game)) == (409, "FAMILY_SEAT_BUSY")
        ended = await next_message(socket)
        while ended["event_type"] != "playtime.session.ended":
            ended = await next_message(socket)
        assert ended["payload"]["end_reason"] == "seat_lost"
        assert ended["payload"]["end_time"] == lost_at[:19] + "Z"
    late = await beat(member, session)
    assert code_of(late) == (409, "FAMILY_SEAT_LOST")
    assert meta(late)["end_reason"] == "seat_lost"
    assert attributes_of(await end(member, session))["end_reason"] == "seat_lost"
    assert attributes_of(await end(member, session))["end_time"] == meta(late)["end_time"]
    assert (await start(rival.member, game)).status_code == 201


async def test_while_the_owner_plays_nobody_sits_down(family):
    await family.share()
    own = (await start(family.owner, family.games[0])).json()["data"]["id"]
    busy = await start(family.member, family.games[0])
    assert (code_of(busy), meta(busy)["held_by_user_id"]) == ((409, "FAMILY_SEAT_BUSY"), str(family.owner.id))
    assert (await start(family.member, family.games[1])).status_code == 201
    await end(family.owner, own)


@pytest.mark.parametrize("loss", ["revoke", "decline", "scope", "refund", "expiry"])
async def test_who_loses_access_stops_playing_at_once(new_player, wait_until, loss):
    owner, member, game = new_player(), new_player(), uuid4()
    bought = await owner.buys(game)
    await wait_until(owner.products)
    family = await Family(owner, member, [game]).share()
    session = (await start(member, game)).json()["data"]["id"]
    if loss == "revoke":
        await family.act(owner, "revoke")
    elif loss == "decline":
        await family.act(member, "revoke")
    elif loss == "scope":
        await family.change(mode="except", product_ids=[str(game)])
    elif loss == "refund":
        await owner.publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data))
    else:
        await end_soon(family)

    async def stopped():
        [shown] = (await member.get("/playtime/sessions"))["data"]
        return shown["attributes"]["end_reason"]

    assert await wait_until(stopped) == "access_revoked"
    assert (await owner.get("/family/seats"))["data"] == []
    assert code_of(await beat(member, session)) == (409, "SESSION_ALREADY_ENDED")
    assert (await start(member, game)).status_code == 403


async def test_a_catalog_that_forbids_sharing_refuses_new_seats_only(family, wait_until):
    game = family.games[0]
    await family.share()
    session = (await start(family.member, game)).json()["data"]["id"]
    said = {"productId": str(game), "familySharingAllowed": False}
    await family.owner.publish(CloudEvent("com.platform.catalog.product.updated.v1", said))
    await wait_until(lambda: hasnt(family.member, game))
    await asyncio.sleep(0.5)
    assert (await beat(family.member, session)).status_code == 204
    await end(family.member, session)
    assert code_of(await start(family.member, game)) == (403, "FAMILY_ACCESS_RESTRICTED")


async def test_seats_in_the_stream_of_heartbeats(family, service, caller):
    owner, member, game = family.owner, family.member, family.games[0]
    await family.share()
    session = (await start(member, game)).json()["data"]["id"]
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = PlaytimeTrackerServiceStub(channel)
        stream = stub.StreamPlaytimeHeartbeats(metadata=caller(member.id))

        async def send(sequence):
            heartbeats = [tracker.PlaytimeHeartbeat(session_id=session)]
            await stream.write(tracker.StreamPlaytimeHeartbeatsRequest(sequence=sequence, heartbeats=heartbeats))
            return await stream.read()

        assert not (await send(1)).seat_notices
        await start(owner, game)
        [notice] = (await send(2)).seat_notices
        assert notice.session_id == session
        left = (notice.lost_at.ToDatetime(UTC) - datetime.now(UTC)).total_seconds()
        assert 0 < left <= GRACE
        unary = tracker.RecordPlaytimeHeartbeatRequest(user_id=str(member.id), session_id=session)
        assert (await stub.RecordPlaytimeHeartbeat(unary, metadata=caller(member.id))).seat_lost_at == notice.lost_at
        await asyncio.sleep(left)
        [refusal] = (await send(3)).refusals
        assert (refusal.reason, refusal.end_reason) == ("FAMILY_SEAT_LOST", "seat_lost")
        assert refusal.end_time.ToDatetime(UTC) == notice.lost_at.ToDatetime(UTC).replace(microsecond=0)
        await stream.done_writing()


async def test_both_receive_a_link_and_kafka_once(family, service, platform, next_message, read_records):
    headers = [{"Authorization": f"Bearer {who.token}"} for who in (family.owner, family.member)]
    async with (
        connect(service.ws, additional_headers=headers[0]) as owner,
        connect(service.ws, additional_headers=headers[1]) as member,
    ):
        for socket in (owner, member):
            await next_message(socket, greeting=True)
        await family.share()
        for socket in (owner, member):
            received = [await next_message(socket) for _ in range(2)]
            assert {message["event_type"] for message in received} == {"family.link.updated"}
            assert [message["payload"]["status"] for message in received] == ["pending_approval", "active"]

    def about_link(records):
        return [one for one in records if family.id.encode() in one.value]

    records = await read_records(
        platform, "com.platform.library.events.v1", lambda records: len(about_link(records)) >= 2
    )
    assert [record.key.decode() for record in about_link(records)] == [str(family.owner.id)] * 2


async def test_play_offline_counts_where_the_copy_was_free(family, new_player):
    game = family.games[0]
    await family.share()
    rival = Family(family.owner, new_player(), [game])
    await rival.share()
    now = datetime.now(UTC)

    async def report_offline(player, minutes):
        ended = now + timedelta(minutes=minutes)
        session = {
            "client_session_id": uuid4().hex,
            "product_id": str(game),
            "start_time": now.isoformat(),
            "end_time": ended.isoformat(),
        }
        answer = await player.post("/playtime/sessions/import", {"sessions": [session]})
        assert answer.status_code == 200, answer.text
        [result] = answer.json()["data"]
        return result["attributes"]["result"], result["attributes"]["code"]

    await asyncio.sleep(1.1)
    now = datetime.now(UTC)
    assert await report_offline(family.member, 2) == ("accepted", None)
    assert await report_offline(family.member, 3) == ("accepted", None)
    assert await report_offline(rival.member, 2) == ("rejected", "FAMILY_SEAT_BUSY")
    assert await report_offline(family.owner, 2) == ("accepted", None)
    await family.act(family.owner, "revoke")
    assert await report_offline(family.member, 2) == ("rejected", "FAMILY_ACCESS_RESTRICTED")
    assert await report_offline(new_player(), 2) == ("rejected", "PERMISSION_DENIED")


@pytest.mark.parametrize("gone", ["owner", "member"])
async def test_of_an_account_that_is_deleted_no_link_and_no_seat_is_left(family, platform, wait_until, gone):
    owner, member, game = family.owner, family.member, family.games[0]
    await family.share()
    session = (await start(member, game)).json()["data"]["id"]
    leaving, staying = (owner, member) if gone == "owner" else (member, owner)
    await leaving.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(leaving.id)}))

    async def is_over():
        return not (await staying.get("/family/links"))["data"] and not (await staying.get("/family/seats"))["data"]

    await wait_until(is_over)
    if gone == "owner":
        assert await shown(member) == {}

        async def stopped():
            [shown] = (await member.get("/playtime/sessions"))["data"]
            return shown["attributes"]["end_reason"]

        assert await wait_until(stopped) == "access_revoked"
    else:
        assert (await start(owner, game)).status_code == 201
    database = await asyncpg.connect(platform.dsn)
    for table in ("family_sharing_links", "family_memberships", "family_seats"):
        mentions = await database.fetchval(
            f"SELECT count(*) FROM library.{table} AS t WHERE t::text LIKE '%' || $1 || '%'", str(leaving.id)
        )
        assert mentions == 0, table

    async def forgotten():
        return not await database.fetchval(
            "SELECT count(*) FROM playtime.playtime_sessions WHERE copy_owner_user_id = $1", leaving.id
        )

    # The second look at an account comes a quarter of an hour later; it is brought forward here.
    await database.execute(
        "UPDATE gateway.user_streams SET erased_at = now() - interval '1 hour' WHERE user_id = $1", leaving.id
    )
    await wait_until(forgotten)
    await database.close()
    assert session


async def test_a_deleted_account_that_is_offered_games_gets_no_link(family, wait_until):
    member = family.member
    await family.share()
    await member.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(member.id)}))

    async def is_gone():
        return (await member.http.get("/items")).status_code == 401

    async def no_links():
        return not (await family.owner.get("/family/links"))["data"]

    await wait_until(is_gone)
    await wait_until(no_links)
    assert (await family.invite()).status_code == 201
    await wait_until(no_links)
