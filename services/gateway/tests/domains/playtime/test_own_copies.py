"""Players who buy or lose a game while they play it, and free games: sessions, seats and messages to devices."""

from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent

REFUNDED = "com.platform.payment.purchase.refunded.v1"
UPDATED = "com.platform.catalog.product.updated.v1"


class Pair:
    """An owner who shares everything with a member, and one game of theirs."""

    def __init__(self, owner, member, game, link):
        self.owner, self.member, self.game, self.link = owner, member, game, link

    async def revoke(self):
        assert (await self.owner.post(f"/family/links/{self.link}/revoke")).status_code == 200


async def share(owner, member):
    invited = await owner.post("/family/links", {"shared_with_user_id": str(member.id)})
    link = invited.json()["data"]["id"]
    assert (await member.post(f"/family/links/{link}/accept")).status_code == 200
    await member.keeps_shares()
    return link


@pytest.fixture
async def pair(new_player, wait_until):
    owner, member, game = new_player(), new_player(), uuid4()
    await owner.buys(game)
    await wait_until(owner.products)
    return Pair(owner, member, game, await share(owner, member))


async def start(player, game, **more):
    return await player.post("/playtime/sessions/start", {"product_id": str(game), **more})


async def started(player, game):
    answer = await start(player, game)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["id"]


async def beats(player, session):
    return (await player.post(f"/playtime/sessions/{session}/heartbeat")).status_code


async def session_of(player, session):
    listed = (await player.get("/playtime/sessions"))["data"]
    [found] = [one["attributes"] for one in listed if one["id"] == session]
    return found


async def seats(player):
    return (await player.get("/family/seats"))["data"]


async def acquired(player, game):
    items = (await player.get("/items"))["data"]
    of = {item["attributes"]["product_id"]: item["attributes"]["acquisition_type"] for item in items}
    return of.get(str(game))


async def item_messages(player, game):
    """Kind and changes of each message to devices about an item of the game."""
    feed = (await player.get("/events", cursor="0"))["data"]
    messages = [entry["attributes"] for entry in feed]
    return [
        (one["event_type"].removeprefix("library.item."), one["payload"].get("changes"))
        for one in messages
        if one["event_type"].startswith("library.item.") and one["payload"]["product_id"] == str(game)
        if "total_playtime_seconds" not in one["payload"].get("changes", {})
    ]


async def buys(player, game, wait_until):
    bought = await player.buys(game)

    async def is_own():
        return await acquired(player, game) == "purchase"

    await wait_until(is_own)
    return bought


async def loses(player, bought, game, wait_until):
    await player.publish(CloudEvent(REFUNDED, bought.data))

    async def is_lost():
        return await acquired(player, game) != "purchase"

    await wait_until(is_lost)


async def test_buying_a_borrowed_game_keeps_the_session_and_frees_the_seat(pair, new_player, wait_until):
    rival = new_player()
    await share(pair.owner, rival)
    session = await started(pair.member, pair.game)
    assert (await start(rival, pair.game)).status_code == 409
    await buys(pair.member, pair.game, wait_until)
    assert await seats(pair.owner) == []
    assert await beats(pair.member, session) == 204
    playing = await session_of(pair.member, session)
    assert (playing["status"], playing["seat_number"]) == ("active", None)
    await started(rival, pair.game)
    # Changes of the share do not affect the session any more.
    await pair.revoke()
    marker = uuid4()
    await pair.member.buys(marker)
    await wait_until(lambda: acquired(pair.member, marker))
    assert await beats(pair.member, session) == 204
    ended = await pair.member.post(f"/playtime/sessions/{session}/end")
    assert ended.json()["data"]["attributes"]["end_reason"] == "completed"


async def test_who_buys_in_the_grace_plays_on(pair, wait_until):
    session = await started(pair.member, pair.game)
    own = await started(pair.owner, pair.game)
    lost = await pair.member.post(f"/playtime/sessions/{session}/heartbeat")
    assert "X-Seat-Lost-At" in lost.headers
    await buys(pair.member, pair.game, wait_until)
    kept = await pair.member.post(f"/playtime/sessions/{session}/heartbeat")
    assert kept.status_code == 204
    assert "X-Seat-Lost-At" not in kept.headers
    assert await seats(pair.owner) == []
    assert await beats(pair.owner, own) == 204


async def test_who_loses_their_own_copy_while_a_share_remains_plays_on(pair, wait_until):
    bought = await buys(pair.member, pair.game, wait_until)
    session = await started(pair.member, pair.game)
    assert (await session_of(pair.member, session))["seat_number"] is None
    await loses(pair.member, bought, pair.game, wait_until)
    assert await beats(pair.member, session) == 204
    playing = await session_of(pair.member, session)
    assert (playing["status"], playing["seat_number"]) == ("active", 1)
    [seat] = await seats(pair.owner)
    assert seat["attributes"]["held_by_user_id"] == str(pair.member.id)
    await pair.member.post(f"/playtime/sessions/{session}/end")
    assert await seats(pair.owner) == []


async def test_who_loses_their_own_copy_while_the_seat_is_taken_stops(pair, wait_until):
    bought = await buys(pair.member, pair.game, wait_until)
    session = await started(pair.member, pair.game)
    own = await started(pair.owner, pair.game)
    await loses(pair.member, bought, pair.game, wait_until)
    assert (await session_of(pair.member, session))["end_reason"] == "access_revoked"
    assert await beats(pair.owner, own) == 204


async def test_devices_receive_changes_of_an_own_copy_beside_a_share(pair, wait_until, read_records):
    bought = await buys(pair.member, pair.game, wait_until)
    assert [
        (kind, changes["shared_from_user_id"]) for kind, changes in await item_messages(pair.member, pair.game)
    ] == [("updated", None)]
    await loses(pair.member, bought, pair.game, wait_until)
    _, (kind, changes) = await item_messages(pair.member, pair.game)
    assert (kind, changes["acquisition_type"]) == ("updated", "family_shared_access")
    assert changes["shared_from_user_id"] == str(pair.owner.id)
    # Without a share it is new, and then gone.
    await pair.revoke()
    again = await buys(pair.member, pair.game, wait_until)
    await loses(pair.member, again, pair.game, wait_until)
    assert [kind for kind, _ in (await item_messages(pair.member, pair.game))[2:]] == ["added", "removed"]


async def test_a_free_game_is_claimed_and_never_borrowed(pair, new_player, wait_until):
    owner, member, game = pair.owner, pair.member, pair.game
    assert await acquired(member, game) == "family_shared_access"
    await owner.publish(CloudEvent(UPDATED, {"productId": str(game), "isFreeToPlay": True}))

    async def is_gone():
        return await acquired(member, game) is None

    await wait_until(is_gone)
    for player in (member, new_player()):  # with a link and without
        refused = await start(player, game)
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["code"]) == (403, "PERMISSION_DENIED")
        assert error["meta"]["reason"] == "claimable"
    own = await started(owner, game)
    assert (await member.post("/items", {"product_id": str(game)})).status_code == 201
    await started(member, game)  # a copy of their own: both can play
    assert await beats(owner, own) == 204
    assert await seats(owner) == []
