"""Families who write at the same time, on two instances: nothing is lost or done twice, and nobody deadlocks."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import wait_for

pytestmark = pytest.mark.long

FAMILIES, ROUNDS = 5, 25
REFUSED = (403, 409)
"""No access to a game any more, or its seat is taken."""
EVENTS = "com.platform.library.events.v1"
REFUNDED = "com.platform.payment.purchase.refunded.v1"
GRANTED = "SELECT count(*) FROM library.ownership_grants WHERE product_id = ANY ($1)"
OWNED = "SELECT user_id, product_id FROM library.user_library_items WHERE acquisition_type IS NOT NULL"
KEPT = "SELECT owner_user_id, product_id FROM library.shared_products WHERE user_id = $1"
MESSAGES = "SELECT message FROM gateway.feed WHERE user_id = $1 ORDER BY sequence"
# What is left of one may add to those behind it, so they are counted in this order.
LEFT = (
    "SELECT count(*) FROM gateway.deferred_records",
    "SELECT count(*) FROM library.family_seats WHERE holder_user_id IS NOT NULL",
    "SELECT count(*) FROM library.share_changes",
    "SELECT count(*) FROM library.family_memberships WHERE products_as_of IS DISTINCT FROM updated_at",
    "SELECT count(*) FROM gateway.forwarded_events",
    "SELECT count(*) FROM gateway.outbox",
)
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(scope="module")
def instances(platform):
    started = [platform.service() for _ in range(2)]
    for one in started:
        one.start(wait=False)
    for one in started:
        wait_for(one.is_ready)
    return started


@pytest.fixture(scope="module")
def service(instances):
    return instances[0]


class User:
    """A user with a client at each instance, and what has to follow from what they did."""

    def __init__(self, clients, pick):
        self.clients, self.pick, self.id = clients, pick, clients[0].id
        self.bought, self.refunded = {}, set()
        self.sessions, self.link_changes = set(), 0

    @property
    def owned(self):
        return set(self.bought) - self.refunded

    @property
    def at_any(self):
        return self.pick.choice(self.clients)

    def buys(self, purchase_of):
        event = purchase_of(self.id, product := uuid4())
        self.bought[product] = event
        return event

    def gives_back(self):
        """A refund of a game, but of the first one."""
        product = self.pick.choice([one for one in list(self.bought)[1:] if one not in self.refunded])
        self.refunded.add(product)
        return CloudEvent(REFUNDED, self.bought[product].data)


class Market:
    """Buys and refunds for all users at once, as the consumer receives it: a batch of a few users each."""

    def __init__(self, platform, connection, users, purchase_of, wait_until):
        self.platform, self.connection, self.users = platform, connection, users
        self.purchase_of, self.wait_until = purchase_of, wait_until

    async def round(self, refunds):
        bought = [user.buys(self.purchase_of) for user in self.users]
        refunded = [user.gives_back() for user in self.users if len(user.owned) > 2 and refunds]
        await publish(self.platform.kafka.address, bought + refunded)
        products = [product for user in self.users for product in user.bought]

        async def granted():
            return await self.connection.fetchval(GRANTED, products) == len(products)

        await self.wait_until(granted)

    async def rounds(self):
        for number in range(ROUNDS):
            await self.round(refunds=number % 3 == 2)


class Family:
    """Two who share their games with each other, and one who plays what the first one shares."""

    def __init__(self, users):
        self.users = users
        one, other, third = users
        self.links = [(one, other), (other, one), (one, third)]

    def tasks(self):
        for user in self.users:
            yield self.plays(user)
            yield configures(user)
        for owner, member in self.links:
            yield shares(owner, member)

    async def plays(self, user):
        """Starts and ends sessions on own and shared copies; the end frees the seat."""
        for _ in range(ROUNDS):
            game = user.pick.choice([game for one in self.users for game in one.bought])
            started = await user.at_any.post("/playtime/sessions/start", {"product_id": str(game)})
            assert started.status_code in (201, *REFUSED), started.text
            if started.status_code == 201:
                user.sessions.add(session := started.json()["data"]["id"])
                ended = await user.at_any.post(f"/playtime/sessions/{session}/end")
                assert ended.status_code in (200, 409), ended.text  # the end of a share has ended it

    def shared_with(self, user):
        return {owner.id: owner.owned for owner, member in self.links if member is user}


async def configures(user):
    [game, *_] = user.bought
    for number in range(1, ROUNDS + 1):
        body = {"data": {"attributes": {"settings_payload": {"volume": number}}}}
        saved = await user.at_any.http.put(f"/settings/{game}", json=body)
        assert saved.is_success, saved.text
        assert saved.json()["data"]["attributes"]["revision"] == number


async def shares(owner, member):
    """Changes what a link covers, and has it ended twice: by the owner, and by the member."""

    async def does(who, action, attributes=None):
        answer = await who.at_any.post(f"/family/links{action}", attributes)
        assert answer.is_success, answer.text
        for party in (owner, member):
            party.link_changes += 1
        return answer.json()["data"]["id"]

    async def covers(**scope):
        answer = await owner.at_any.patch(f"/family/links/{link}", scope)
        assert answer.is_success, answer.text
        for party in (owner, member):
            party.link_changes += 1

    async def begins():
        made = await does(owner, "", {"shared_with_user_id": str(member.id)})
        return await does(member, f"/{made}/accept")

    [game, *_] = owner.bought
    link = await begins()
    for number in range(ROUNDS):
        if number in (8, 16):
            await does((owner, member)[number // 16], f"/{link}/revoke")
            link = await begins()
        await covers(**({"mode": "all"} if number % 2 else {"mode": "except", "product_ids": [str(game)]}))
    await covers(mode="all")


def counted(messages):
    """How many messages there are about each of what a user did."""
    found = defaultdict(Counter)
    for message in messages:
        kind, payload = message["event_type"], message["payload"]
        if kind.startswith("playtime."):
            found[kind][payload["session_id"]] += 1
        elif kind in ("settings.updated", "family.link.updated"):
            found[kind]["all"] += 1
        elif payload.get("acquisition_type") == "purchase" or payload.get("reason") == "refund":
            found[kind][payload["product_id"]] += 1
    return found


def once(ids):
    return Counter(map(str, ids))


async def is_announced_once(connection, user):
    found = counted(json.loads(row["message"]) for row in await connection.fetch(MESSAGES, user.id))
    assert found["library.item.added"] == once(user.bought)
    assert found["library.item.removed"] == once(user.refunded)
    assert found["playtime.session.started"] == found["playtime.session.ended"] == once(user.sessions)
    assert found["settings.updated"]["all"] == ROUNDS
    assert found["family.link.updated"]["all"] == user.link_changes


def published(records):
    """The numbers of each user's events in the order of the topic, and what the events of each type are about."""
    numbers, about = defaultdict(list), defaultdict(set)
    for record in records:
        document = json.loads(record.value)
        data, number = document["data"], int(document["sequence"])
        if number not in numbers[data["userId"]]:  # a relay that takes over repeats what it can't know of
            numbers[data["userId"]].append(number)
        about[document["type"]].add((data["userId"], data.get("sessionId") or data.get("productId")))
    return numbers, about


def to_publish(users):
    """What the events of some types have to be about."""
    of_user = {
        "game.added": lambda user: user.bought,
        "game.removed": lambda user: user.refunded,
        "playtime.session.started": lambda user: user.sessions,
        "playtime.session.ended": lambda user: user.sessions,
    }
    return {
        f"com.platform.library.{name}.v1": {(str(user.id), str(one)) for user in users for one in of(user)}
        for name, of in of_user.items()
    }


async def test_families_write_at_the_same_time(
    platform, instances, new_player, connection, purchase_of, wait_until, read_records
):
    pick = random.Random(17)

    def new_user():
        first = new_player(at=instances[0])
        return User([first, new_player(at=instances[1], user_id=first.id)], pick)

    families = [Family([new_user() for _ in range(3)]) for _ in range(FAMILIES)]
    users = [user for family in families for user in family.users]
    market = Market(platform, connection, users, purchase_of, wait_until)
    await market.round(refunds=False)
    await asyncio.gather(market.rounds(), *(task for family in families for task in family.tasks()))

    async def settled():
        owned = defaultdict(set)
        for row in await connection.fetch(OWNED):
            owned[row["user_id"]].add(row["product_id"])
        return owned == {user.id: user.owned for user in users} and not any(
            [await connection.fetchval(query) for query in LEFT]
        )

    await wait_until(settled)
    for user in users:
        await is_announced_once(connection, user)
    for family in families:
        for user in family.users:
            kept = defaultdict(set)
            for row in await connection.fetch(KEPT, user.id):
                kept[row["owner_user_id"]].add(row["product_id"])
            assert kept == family.shared_with(user)
            shown = user.owned.union(*kept.values())
            assert await user.at_any.products() == set(map(str, shown))
    expected = to_publish(users)

    def complete(records):
        about = published(records)[1]
        return {kind: about[kind] for kind in expected} == expected

    numbers, _ = published(await read_records(platform, EVENTS, complete))
    assert all(found == sorted(found) for found in numbers.values())
    assert not await connection.fetchval("SELECT count(*) FROM gateway.dead_letters")
    for one in instances:
        assert one.stop() == 0
        assert "deadlock" not in one.log.read_text().lower()

    async def nobody_else():
        return not await connection.fetchval(OTHERS)

    await wait_until(nobody_else)  # a server's process reports its deadlocks when it ends
    assert await connection.fetchval(DEADLOCKS) == 0
