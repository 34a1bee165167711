"""Members' devices receive what the owner buys and loses, even if the process is killed in between."""

import asyncio
from uuid import UUID, uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from websockets.asyncio.client import connect

pytestmark = pytest.mark.long
REFUNDED = "com.platform.payment.purchase.refunded.v1"


class Family:
    """An owner and a member, linked."""

    def __init__(self, owner, member):
        self.owner, self.member = owner, member
        self.link = None

    async def share(self):
        invited = await self.owner.post("/family/links", {"shared_with_user_id": str(self.member.id)})
        self.link = invited.json()["data"]["id"]
        assert (await self.member.post(f"/family/links/{self.link}/accept")).status_code == 200

    async def refund(self, bought):
        await self.owner.publish(CloudEvent(REFUNDED, bought.data))


@pytest.fixture
async def family(new_player, wait_until):
    owner = new_player()
    await owner.buys(uuid4())
    await wait_until(owner.products)
    return Family(owner, new_player())


async def kept(connection, family):
    """The products that the member keeps of the owner."""
    query = "SELECT product_id FROM library.shared_products WHERE user_id = $1 AND owner_user_id = $2"
    return {str(row["product_id"]) for row in await connection.fetch(query, family.member.id, family.owner.id)}


def feed_of(player, *types):
    """The messages of some types that a user's devices have received, oldest first."""

    async def read():
        entries = (await player.get("/events", cursor="0", limit=100))["data"]
        messages = [entry["attributes"] for entry in entries]
        return [one for one in messages if one["event_type"] in types]

    return read


async def test_the_member_s_devices_receive_what_the_owner_buys_and_loses(family, service, next_message, connection):
    member, game = family.member, uuid4()
    headers = {"Authorization": f"Bearer {member.token}"}
    async with connect(service.ws, additional_headers=headers) as socket:
        await next_message(socket, greeting=True)
        await family.share()
        received = [(await next_message(socket))["event_type"] for _ in range(2)]
        assert received == ["family.link.updated"] * 2
        first = await next_message(socket)
        assert (first["event_type"], first["payload"]["added"]) == ("family.library.updated", 1)
        assert first["payload"]["link_id"] == family.link
        bought = await family.owner.buys(game)
        added = await next_message(socket)
        shown = {item["attributes"]["product_id"]: item for item in (await member.get("/items"))["data"]}[str(game)]
        assert added["event_type"] == "library.item.added"
        assert added["payload"]["library_item_id"] == shown["id"]
        assert added["payload"]["shared_from_user_id"] == str(family.owner.id)
        assert added["payload"]["added_at"] == shown["attributes"]["added_at"]
        assert str(game) in await kept(connection, family)
        await family.refund(bought)
        removed = await next_message(socket)
        assert (removed["event_type"], removed["payload"]["reason"]) == ("library.item.removed", "no_longer_shared")
        assert removed["payload"]["product_id"] == str(game)
        await family.owner.buys(*(uuid4() for _ in range(21)))
        many = await next_message(socket)
        assert (many["event_type"], many["payload"]["added"], many["payload"]["removed"]) == (
            "family.library.updated",
            21,
            0,
        )
        await family.owner.post(f"/family/links/{family.link}/revoke")
        assert (await next_message(socket))["event_type"] == "family.link.updated"
        assert (await member.get("/items"))["data"] == []


async def test_what_was_bought_before_a_crash_arrives_after_it(family, platform, service, wait_until, connection):
    await family.share()
    arrived = feed_of(family.member, "family.library.updated", "library.item.added")
    await wait_until(arrived)
    games = [uuid4() for _ in range(5)]
    for game in games:
        await family.owner.buys(game)
    service.kill()
    service.start()

    async def all_kept():
        return {str(game) for game in games} <= await kept(connection, family)

    await wait_until(all_kept)
    added = [one["payload"]["product_id"] for one in await arrived() if one["event_type"] == "library.item.added"]
    assert sorted(added) == sorted(map(str, games)), "each is received once"


async def test_purchases_while_the_link_ends_leave_nothing_with_the_member(family, wait_until, connection):
    owner, member = family.owner, family.member
    await family.share()
    await wait_until(feed_of(member, "family.library.updated"))
    await asyncio.gather(
        *(owner.buys(uuid4()) for _ in range(10)),
        member.post(f"/family/links/{family.link}/revoke"),
        *(owner.buys(uuid4()) for _ in range(10)),
    )

    async def all_bought():
        return len(await owner.products()) == 21

    await wait_until(all_bought)
    assert (await member.get("/items"))["data"] == []

    async def nothing_kept():
        waiting = "SELECT count(*) FROM library.share_changes WHERE owner_user_id = $1"
        return not await kept(connection, family) and not await connection.fetchval(waiting, owner.id)

    await wait_until(nothing_kept)


async def test_an_erased_owner_leaves_nothing_with_the_member(family, wait_until, connection):
    await family.share()
    await wait_until(feed_of(family.member, "family.library.updated"))
    assert await kept(connection, family)
    await family.owner.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(family.owner.id)}))

    async def nothing_kept():
        return not await kept(connection, family)

    await wait_until(nothing_kept)
    [message] = await feed_of(family.member, "family.library.updated")()
    assert message["payload"]["owner_user_id"] == str(UUID(int=0))
