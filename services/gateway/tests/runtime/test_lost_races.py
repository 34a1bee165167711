"""Two transactions that wait for each other: PostgreSQL ends one, which runs again, over REST and gRPC alike."""

import asyncio
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.protos.library.v1 import wishlist_service_pb2 as messages
from gameshelf.protos.library.v1.wishlist_service_pb2_grpc import WishlistServiceStub

GATE, ONE, OTHER = 710_001, 710_002, 710_003
"""Keys of advisory locks."""


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(LIBRARY_SERVICE_ROLES="api")
    made.start()
    return made


class Race:
    """Each of two players who make a wish locks one of two keys, waits for the gate however long it takes,
    and then locks the other key.
    """

    def __init__(self, connection):
        self.connection = connection

    async def between(self, player, other):
        await self.connection.execute(
            f"""
            CREATE SEQUENCE wishlist.race_attempts;
            CREATE FUNCTION wishlist.race() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM set_config('lock_timeout', '0', true), nextval('wishlist.race_attempts');
                PERFORM pg_advisory_xact_lock(CASE NEW.user_id WHEN '{player.id}' THEN {ONE} ELSE {OTHER} END);
                PERFORM pg_advisory_xact_lock_shared({GATE});
                PERFORM pg_advisory_xact_lock(CASE NEW.user_id WHEN '{player.id}' THEN {OTHER} ELSE {ONE} END);
                RETURN NEW;
            END $$;
            CREATE TRIGGER race BEFORE INSERT ON wishlist.wishlist_items FOR EACH ROW
                WHEN (NEW.user_id IN ('{player.id}', '{other.id}')) EXECUTE FUNCTION wishlist.race();
            """
        )

    async def close_gate(self):
        await self.connection.execute("SELECT pg_advisory_lock($1)", GATE)

    async def open_gate(self):
        await self.connection.execute("SELECT pg_advisory_unlock($1)", GATE)

    async def both_wait(self):
        waiting = "SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        return await self.connection.fetchval(waiting, GATE)

    async def attempts(self):
        return await self.connection.fetchval("SELECT last_value FROM wishlist.race_attempts")


@pytest.fixture
async def race(platform):
    connection = await asyncpg.connect(platform.dsn)
    yield Race(connection)
    await connection.execute("DROP FUNCTION IF EXISTS wishlist.race CASCADE")
    await connection.execute("DROP SEQUENCE IF EXISTS wishlist.race_attempts")
    await connection.close()


@pytest.fixture
async def stub(service):
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        yield WishlistServiceStub(channel)


async def deadlock(race, wait_until, players, wish):
    """Lets both make a wish at once, so that one loses the race. Returns the results and the number of attempts."""
    await race.between(*players)
    await race.close_gate()
    async with asyncio.TaskGroup() as group:
        wishes = [group.create_task(wish(player)) for player in players]
        await wait_until(race.both_wait)
        await race.open_gate()
    return [one.result() for one in wishes], await race.attempts()


@on_one_server("it has no triggers")
async def test_two_writers_over_grpc_that_deadlock_both_succeed(race, new_player, stub, caller, wait_until):
    async def wish(player):
        request = messages.AddToWishlistRequest(user_id=str(player.id), product_id=str(uuid4()))
        return (await stub.AddToWishlist(request, metadata=caller(player.id))).item.wishlist_item_id

    players = [new_player(), new_player()]
    made, attempts = await deadlock(race, wait_until, players, wish)
    assert attempts == 3
    for player, item in zip(players, made, strict=True):
        assert [one["id"] for one in (await player.get("/wishlist/items"))["data"]] == [item]


@on_one_server("it has no triggers")
async def test_two_writers_over_rest_that_deadlock_are_kept_once(race, new_player, wait_until):
    bodies = {}

    async def wish(player):
        body = bodies.setdefault(player.id, {"product_id": str(uuid4())})
        return await player.post("/wishlist/items", body, **{"Idempotency-Key": "k"})

    players = [new_player(), new_player()]
    made, attempts = await deadlock(race, wait_until, players, wish)
    assert ([one.status_code for one in made], attempts) == ([201, 201], 3)
    for player, first in zip(players, made, strict=True):
        again = await wish(player)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
