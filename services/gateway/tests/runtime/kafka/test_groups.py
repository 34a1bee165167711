"""The users of a batch are served in groups: with the same rows as one by one, in few round trips."""

import asyncio
import itertools
import json
import random
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import ConsumerRecord
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import on_one_server, sized
from gameshelf.devstack.statements.found import PACKAGES, found
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvents
from gameshelf.gateway.runtime.kafka.deferred import NoRoom
from gameshelf.gateway.runtime.kafka.groups import in_groups
from gameshelf.gateway.runtime.kafka.received import StoredRecord, read_event
from gameshelf.gateway.runtime.unit_of_work.members import group_form
from gameshelf.gateway.wiring import build

PAYMENTS = "com.platform.payment.purchase."
CONSUMED = ConsumedEvents({domain.name: domain.consumed for domain in DOMAINS})
START = datetime(2026, 1, 1, tzinfo=UTC)
GATEWAY_ROWS = {
    "user_streams": "version, last_sequence",
    "inbox": "source",
    "feed": "sequence, message",
    "outbox": "shard >= 16 AS is_bulk, topic, record_key, value",
}
OWN_ROWS = {
    "library.ownership_grants": "product_id, kind, source_id, acquired_at, ended_at IS NULL, quantity, ended_by",
    "library.order_facts": "product_id, source_id, kind, fact_id, quantity, occurred_at",
    "library.wanted_products": "product_id",
    "library.user_library_items": "product_id, acquisition_type, added_at, product_type, user_rating, "
    "installation_status, installations",
    "achievements.owned_products": "product_id",
    "wishlist.wishlist_items": "product_id",
    **{f"gateway.{name}": columns for name, columns in GATEWAY_ROWS.items()},
}
WISH = "INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at) VALUES ($1, $2, $3, $4)"
COUNTED = """
    SELECT coalesce(sum(delta), 0) - (SELECT count(*) FROM achievements.owned_products WHERE product_id = ANY($1))
    FROM achievements.rarity_deltas WHERE product_id = ANY($1)
"""
POISON = """
    CREATE FUNCTION library.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'poison' USING ERRCODE = '{code}';
    END $$;
    CREATE TRIGGER poison BEFORE INSERT ON library.ownership_grants FOR EACH ROW
        WHEN (NEW.source_id = '{order}') EXECUTE FUNCTION library.poison();
"""
NO_POISON = "DROP TRIGGER poison ON library.ownership_grants; DROP FUNCTION library.poison()"
OFFSETS = itertools.count()
"""No two records are at one place of a partition, or else only the first of them is deferred."""


class Batches:
    """A consumer in this process, which is given batches as if they came from a partition."""

    def __init__(self, gateway, connection):
        self.gateway, self.connection = gateway, connection

    async def apply(self, *events):
        records = [
            ConsumerRecord(event.topic, 0, next(OFFSETS), 1_700_000_000_000, 0, None, event.encode(), None, 0, 0, ())
            for event in events
        ]
        await self.gateway.consumer._intake.process_batch(records)

    async def owned(self, users):
        query = "SELECT user_id, product_id FROM library.user_library_items WHERE user_id = ANY($1) AND added_at > $2"
        return {(row["user_id"], row["product_id"]) for row in await self.connection.fetch(query, users, START)}

    async def rows_of(self, user):
        """The rows of a user, as they would be of any other."""
        rows = {}
        for table, columns in OWN_ROWS.items():
            key = "subject_id" if table == "gateway.inbox" else "user_id"
            query = f"SELECT {columns} FROM {table} WHERE {key} = $1"
            texts = [general(user, *row.values()) for row in await self.connection.fetch(query, user)]
            rows[table] = sorted(texts)
        return rows


def general(user, *values):
    """The values of a row, without what differs between two users who did the same at another time."""
    text = " ".join(value.decode() if isinstance(value, bytes) else str(value) for value in values)
    if "{" in text and '"' in text:
        begin = text.index("{")
        document = json.loads(text[begin : text.rindex("}") + 1])
        for part in (document, document.get("payload") or {}, document.get("data") or {}):
            for name in ("id", "time", "occurred_at", "timestamp", "removedAt", "library_item_id", "wishlistItemId"):
                part.pop(name, None)
        if "traceparent" in document:
            document["traceparent"] = bool(document["traceparent"])
        text = text[:begin] + json.dumps(document, sort_keys=True)
    return text.replace(str(user), "USER")


def purchase(user, product, order=None, **more):
    items = [{"productId": str(product), "productType": "game", "quantity": 1}]
    data = {"userId": str(user), "orderId": order or f"order-{uuid4()}", "items": items}
    return CloudEvent(f"{PAYMENTS}completed.v1", {**data, **more}, time=START + timedelta(days=1))


def story(chance, products):
    """Events of one user, who is still to be named."""
    orders = ["order-1", "order-2"]
    steps = []
    for _ in range(chance.randint(1, 4)):
        at = START + timedelta(hours=chance.randint(1, 99))
        some = chance.sample(products, chance.randint(1, 2))
        items = [{"productId": str(one), "productType": "game", "quantity": chance.randint(1, 2)} for one in some]
        order = {"orderId": chance.choice(orders), "items": items}
        one = {"productId": str(some[0])}
        kinds = [
            (f"{PAYMENTS}completed.v1", order),
            (f"{PAYMENTS}completed.v1", order),
            (f"{PAYMENTS}refunded.v1", {**order, "refundId": "refund"}),
            (f"{PAYMENTS}reinstated.v1", {**order, "reinstatementId": "reinstatement"}),
            ("com.platform.payment.key.activated.v1", {**one, "keyId": "key"}),
            ("com.platform.payment.key.revoked.v1", {**one, "keyId": "key"}),
            ("com.platform.payment.gift.received.v1", {**one, "giftId": "gift"}),
            ("com.platform.download.game.installed.v1", {**one, "deviceId": "deck", "versionId": "1"}),
            ("com.platform.social.review.submitted.v1", {**one, "rating": 80}),
        ]
        steps.append((*chance.choice(kinds), f"event-{chance.randint(1, 9)}", at))
    return steps


def received(user, more="", kind=f"{PAYMENTS}completed.v1"):
    event = purchase(user, uuid4(), more=more)
    event = CloudEvent(kind, event.data)
    return read_event(StoredRecord(event.topic, 0, 0, 0, None, event.encode()), CONSUMED)


def events_of(user, steps):
    return [CloudEvent(kind, {"userId": str(user), **data}, f"{name}", "tests", at) for kind, data, name, at in steps]


@pytest.fixture(scope="module")
def migrated(platform):
    """The schemas alone: nothing takes records out of the outbox."""
    platform.service().migrate()
    return platform


@pytest.fixture
async def make_batches(migrated):
    """Makes consumers in this process."""
    opened = []

    async def make():
        gateway = await build(load_settings(migrated.service(LIBRARY_SERVICE_ROLES="consumer").environment))
        opened.append((gateway, await asyncpg.connect(migrated.dsn)))
        return Batches(*opened[-1])

    yield make
    for gateway, connection in opened:
        await connection.close()
        await gateway.close()


@pytest.fixture
async def batches(make_batches):
    return await make_batches()


@on_one_server("each user of a batch is served alone")
async def test_two_hundred_purchases_cost_what_the_table_says(batches, measured_of, documented):
    measured = measured_of(batches.gateway)
    users, game = [uuid4() for _ in range(200)], uuid4()
    for user in users[:100]:
        await batches.connection.execute(WISH, user, uuid4(), game, START)
    for events in ([purchase(user, uuid4()) for user in users], [purchase(user, game) for user in users]):
        _, cost = await measured.count(batches.apply(*events))
        assert cost == documented["purchases of up to 200 users from Kafka"], measured.statements
    assert len(await batches.owned(users)) == 400


@pytest.mark.long
@pytest.mark.parametrize("package", PACKAGES)
async def test_postgresql_takes_every_form_for_several_users(batches, package):
    forms = {}
    for name, statement in found(package).items():
        count = max(map(int, re.findall(r"\$(\d+)", statement.sql)), default=0)
        for differs in ((True,) * count, tuple(f"${number}::UUID" in statement.sql for number in range(1, count + 1))):
            for has_result in (True, False):
                if any(differs) and (form := group_form(statement.sql, differs, has_result=has_result)):
                    forms[name, differs, has_result] = form.query
    for query in set(forms.values()):
        await batches.connection.prepare(query)


async def test_a_batch_makes_the_same_rows_as_one_by_one(batches, caplog):
    chance = random.Random(17)
    for _ in range(sized(2, 20)):
        products = [uuid4() for _ in range(3)]
        stories = [story(chance, products) for _ in range(12)]
        together, apart = ([uuid4() for _ in stories] for _ in range(2))
        for user in (*together[:3], *apart[:3]):
            await batches.connection.execute(WISH, user, uuid4(), products[0], START)
        await batches.apply(
            *(one for user, steps in zip(together, stories, strict=True) for one in events_of(user, steps))
        )
        for user, steps in zip(apart, stories, strict=True):
            await batches.apply(*events_of(user, steps))
        for one, other, steps in zip(together, apart, stories, strict=True):
            assert await batches.rows_of(one) == await batches.rows_of(other), steps
        assert await batches.connection.fetchval(COUNTED, products) == 0
    assert not caplog.records  # of users who could not be served together


async def test_what_is_delivered_again_changes_nothing(batches):
    users = [uuid4() for _ in range(5)]
    events = [purchase(user, uuid4()) for user in users]
    await batches.apply(*events, *events)
    before = [await batches.rows_of(user) for user in users]
    await batches.apply(*events)
    assert [await batches.rows_of(user) for user in users] == before
    assert [len(rows["gateway.outbox"]) for rows in before] == [1] * 5


@on_one_server("it has no triggers")
@pytest.mark.parametrize("code", ["22000", "21000", "55P03"], ids=["data", "not the data", "a lock"])
async def test_one_record_that_fails_harms_nobody_else(batches, code):
    users, order = [uuid4() for _ in range(40)], f"order-{uuid4()}"
    await batches.connection.execute(POISON.format(code=code, order=order))
    try:
        games = {user: uuid4() for user in users}
        events = [purchase(user, game) for user, game in games.items()]
        bad = purchase(users[7], uuid4(), order)
        applied = batches.apply(*events[:20], bad, *events[20:])
        if code == "21000":  # such a failure concerns every record: they wait, and are tried again
            with pytest.raises(ExceptionGroup):
                await applied
            await batches.connection.execute(NO_POISON)
            await batches.apply(*events[:20], bad, *events[20:])
        else:
            await applied
    finally:
        await batches.connection.execute(
            NO_POISON.replace("DROP TRIGGER", "DROP TRIGGER IF EXISTS").replace(
                "DROP FUNCTION", "DROP FUNCTION IF EXISTS"
            )
        )
    owned = await batches.owned(users)
    harmed = set() if code != "55P03" else {(users[7], games[users[7]])}
    assert set(games.items()) - harmed <= owned
    letters = await batches.connection.fetchval(
        "SELECT count(*) FROM gateway.dead_letters WHERE user_id = $1", users[7]
    )
    waiting = "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1"
    assert (letters, await batches.connection.fetchval(waiting, users[7])) == {
        "22000": (1, 0),
        "21000": (0, 0),
        "55P03": (0, 2),
    }[code]


async def test_users_whose_rows_are_held_do_not_delay_the_others(batches, make_batches):
    users = [uuid4() for _ in range(6)]
    await batches.apply(*(purchase(user, uuid4()) for user in users))
    other = await make_batches()
    later = [purchase(user, uuid4()) for user in users]
    async with other.connection.transaction():
        await other.connection.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", users[2])
        await batches.apply(*later)
    waiting = "SELECT subject_id FROM gateway.deferred_records WHERE subject_id = ANY($1)"
    assert [row["subject_id"] for row in await batches.connection.fetch(waiting, users)] == [users[2]]
    assert len(await batches.owned(users)) == 11


async def test_erased_users_are_refused_and_the_others_served(batches):
    users, game = [uuid4() for _ in range(4)], uuid4()
    await batches.apply(*(purchase(user, uuid4()) for user in users[:2]))
    ends = [CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(user)}) for user in users[1:3]]
    await batches.apply(*ends)
    await batches.apply(*(purchase(user, game) for user in users))
    assert {user for user, product in await batches.owned(users) if product == game} == {users[0], users[3]}


async def test_users_with_much_to_do_are_alone():
    few, many, large, ended = (uuid4() for _ in range(4))
    users = {few: [received(few)], many: [received(many)] * 9, large: [received(large, "x" * 20_000)]}
    users[ended] = [received(ended, kind="com.platform.account.user.deleted.v1")]
    assert in_groups(users) == ([{few: users[few]}], {one: users[one] for one in (many, large, ended)})
    crowd = {uuid4(): [received(few)] * number for number in (1, 2) for _ in range(150)}
    groups, alone = in_groups(crowd)
    assert [len(group) for group in groups] == [200, 100]
    assert (alone, [len(own) for own in groups[1].values()]) == ({}, [2] * 100)


async def test_two_consumers_share_users_without_a_loss(batches, make_batches):
    other, users = await make_batches(), [uuid4() for _ in range(30)]
    rounds = [[purchase(user, uuid4()) for user in users] for _ in range(6)]

    async def applied(by, events):
        """As by a consumer, to which a batch comes again while too many of its users are held."""
        is_applied = False
        while not is_applied:
            is_applied = True
            try:
                await by.apply(*events)
            except* NoRoom:
                is_applied = False

    for ones in rounds:
        shuffled = random.Random(len(users)).sample(ones, len(ones))
        await asyncio.gather(applied(batches, ones), applied(other, shuffled))
    bought = {bought_in(event.data) for ones in rounds for event in ones}
    deferred = "SELECT value FROM gateway.deferred_records WHERE subject_id = ANY($1)"
    waiting = {bought_in(json.loads(row["value"])["data"]) for row in await batches.connection.fetch(deferred, users)}
    owned = await batches.owned(users)
    assert owned | waiting == bought
    sent = "SELECT value FROM gateway.outbox WHERE user_id = ANY($1)"
    added = [json.loads(row["value"])["data"] for row in await batches.connection.fetch(sent, users)]
    pairs = [(UUID(one["userId"]), UUID(one["productId"])) for one in added]
    assert len(pairs) == len(set(pairs)) == len(owned)


def bought_in(data):
    """The user and the one product of a purchase."""
    return UUID(data["userId"]), UUID(data["items"][0]["productId"])


@pytest.mark.long
async def test_a_connection_that_ends_anywhere_leaves_all_or_nothing(batches):
    take, left = batches.gateway.database.take_connection, 0

    class Ending:
        """A connection that the server ends at one of its statements."""

        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        async def _run(self, name, *args):
            nonlocal left
            left -= 1
            if left == 0:
                self._inner.terminate()
            return await getattr(self._inner, name)(*args)

        async def fetch(self, *args):
            return await self._run("fetch", *args)

        async def execute(self, *args):
            return await self._run("execute", *args)

    async def take_ending():
        return Ending(await take())

    batches.gateway.database.take_connection = take_ending
    give_up, put_back = batches.gateway.database.give_up, batches.gateway.database.put_back
    batches.gateway.database.give_up = lambda one: give_up(one._inner if isinstance(one, Ending) else one)
    batches.gateway.database.put_back = lambda one: put_back(one._inner if isinstance(one, Ending) else one)
    for number in range(2, 11):
        users = [uuid4() for _ in range(3)]
        events = [purchase(user, uuid4()) for user in users]
        left = number
        with pytest.raises(ExceptionGroup):
            await batches.apply(*events)
        assert await batches.owned(users) == set()
        await batches.apply(*events)
        rows = [await batches.rows_of(user) for user in users]
        assert [len(one["gateway.outbox"]) for one in rows] == [1, 1, 1]


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
async def test_a_connection_that_ends_at_the_commit_leaves_all_or_nothing(batches, monkeypatch, is_done):
    execute, left = asyncpg.Connection.execute, 1

    async def ending(self, query, *args, **how):
        nonlocal left
        if not query.startswith("COMMIT") or not left:
            return await execute(self, query, *args, **how)
        left -= 1
        if is_done:
            await execute(self, query, *args, **how)
        self.terminate()
        raise asyncpg.ConnectionDoesNotExistError("the answer was lost")

    users = [uuid4() for _ in range(3)]
    events = [purchase(user, uuid4()) for user in users]
    monkeypatch.setattr(asyncpg.Connection, "execute", ending)
    with pytest.raises(ExceptionGroup):
        await batches.apply(*events)
    assert left == 0
    assert len(await batches.owned(users)) == (3 if is_done else 0)
    await batches.apply(*events)
    rows = [await batches.rows_of(user) for user in users]
    assert [len(one["gateway.outbox"]) for one in rows] == [1, 1, 1]
