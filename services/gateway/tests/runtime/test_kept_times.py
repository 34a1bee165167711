"""Times that PostgreSQL has and Python has not, stored by an earlier release or by hand, fail no read of anybody."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.gateway.runtime import database
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.timestamps import FIRST, LAST

BEYOND = ("infinity", "-infinity", "20000-01-01Z", "4000-01-01 BC")
READS = (
    "/items",
    "/items?sort_by=added_at_desc",
    "/categories",
    "/family/links",
    "/family/seats",
    "/playtime",
    "/playtime?period=last_2_weeks",
    "/playtime/sessions",
    "/playtime/daily",
    "/achievements/summary",
    "/wishlist/items",
    "/events?cursor=0",
    "/savegames",
    "/savegames/quota",
)


@pytest.fixture
async def opened(platform, service):
    """The service's own way to PostgreSQL."""
    made = await database.connect(platform.dsn, 1, Tracing(None))
    yield made
    await made.close()


async def test_times_are_read_as_aware_including_the_extremes(opened):
    async with opened.acquire() as connection:
        for text, expected in zip(BEYOND, (LAST, FIRST, LAST, FIRST), strict=True):
            assert await connection.fetchval("SELECT $1::text::timestamptz", text) == expected
            assert await connection.fetchval("SELECT ARRAY[$1::text::timestamptz]", text) == [expected]
        for end, name in ((LAST, "infinity"), (FIRST, "-infinity")):
            assert await connection.fetchval("SELECT $1::timestamptz = $2::text::timestamptz", end, name)
        for text in ("1601-01-01 00:00:00.000001Z", "1970-01-01Z", "2026-11-26 12:00:00.123456+03", "9999-12-31Z"):
            read = await connection.fetchval("SELECT $1::text::timestamptz", text)
            assert await connection.fetchval("SELECT $1::timestamptz = $2::text::timestamptz", read, text)
            assert read.utcoffset().total_seconds() == 0


async def times_of(connection, user_id):
    """Each column of times of each table that has rows of the user, with the column that names the user."""
    rows = await connection.fetch(
        "SELECT format('%I.%I', t.table_schema, t.table_name) AS name, t.column_name AS time, u.column_name AS owner "
        "FROM information_schema.columns t JOIN information_schema.columns u USING (table_schema, table_name) "
        "WHERE t.data_type = 'timestamp with time zone' AND u.column_name IN ('user_id', 'owner_user_id') "
        "AND t.table_schema NOT IN ('pg_catalog', 'public') "
        "ORDER BY 1, 2"
    )
    return [
        (name, time, owner)
        for name, time, owner in rows
        if name != "gateway.user_streams"
        and await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name} WHERE {owner} = $1)", user_id)
    ]


async def use_the_service(player, product, wait_until):
    await player.buys(product)

    async def owned():
        return str(product) in await player.products()

    await wait_until(owned)
    assert (await player.post("/categories", {"name": "RPG"})).status_code == 201
    assert (await player.post("/wishlist/items", {"product_id": str(uuid4())})).status_code == 201
    link = {"shared_with_user_id": str(uuid4()), "mode": "all"}
    assert (await player.post("/family/links", link)).status_code == 201
    started = await player.post("/playtime/sessions/start", {"product_id": str(product)})
    assert (await player.post(f"/playtime/sessions/{started.json()['data']['id']}/end")).status_code == 200
    body = {"data": {"attributes": {"settings_payload": {"a": 1}}}}
    for query in ("", "?platform=linux"):
        assert (await player.http.put(f"/settings/{product}{query}", json=body)).status_code in (200, 201)


async def test_a_row_with_such_a_time_fails_no_read(player, connection, wait_until):
    product = uuid4()
    await use_the_service(player, product, wait_until)
    failed, tried = [], 0
    reads = [*READS, f"/settings/{product}?platform=linux", f"/achievements/status/{product}"]
    for name, time, owner in (await times_of(connection, player.id))[:: sized(3, 1)]:
        where = f"WHERE {owner} = $1"
        kept = await connection.fetch(f"SELECT {time}::text FROM {name} {where}", player.id)
        for beyond in BEYOND[: sized(1, 3)]:
            try:
                await connection.execute(f"UPDATE {name} SET {time} = $2::text::timestamptz {where}", player.id, beyond)
            except asyncpg.IntegrityConstraintViolationError:
                continue  # it can't be stored
            tried += 1
            for path in reads:
                answer = await player.http.get(path)
                if answer.status_code >= 400 and answer.status_code not in (401, 404):
                    failed.append((name, time, beyond, path, answer.status_code))
        await connection.execute(f"UPDATE {name} SET {time} = $2::text::timestamptz {where}", player.id, kept[0][time])
    assert tried > sized(5, 40)
    assert not failed
