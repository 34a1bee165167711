"""A database that `./dev bench fill` has filled, and that was killed meanwhile: the service agrees with every row."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest
from _fill.binary import moment
from _fill.catalog import catalog
from _fill.filling import OtherPlan, planned, step_of
from _fill.generating import part_of
from _fill.people import user_id
from _fill.tables import EMPTY, FILLED
from gameshelf.achievements import RarityCounters
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.wiring import MIGRATIONS
from gameshelf.playtime import PlaytimeService

pytestmark = pytest.mark.long
SCRIPT = Path(__file__).parents[2] / "bench" / "fill.py"
SEED, USERS, PART = 5, 640, 160
PLAN = (SEED, USERS, PART)
TABLES = """
SELECT nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema|fill$)' AND relname <> 'alembic_version'
"""
WAITS = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
SHARED = "SELECT * FROM library.shared_products ORDER BY user_id, owner_user_id, product_id"
SEEN = """
SELECT m.user_id, (
    SELECT count(*) FROM library.user_library_items i JOIN library.products p USING (product_id)
    WHERE i.user_id = m.owner_user_id AND i.acquisition_type IS NOT NULL AND p.family_sharing_allowed
      AND NOT p.is_free_to_play AND NOT EXISTS (
        SELECT FROM library.user_library_items mine
        WHERE mine.user_id = m.user_id AND mine.product_id = i.product_id AND mine.acquisition_type IS NOT NULL
    )
) AS games
FROM library.family_memberships m WHERE status = 'active' AND mode = 'all' ORDER BY games DESC LIMIT 10
"""
OUTDATED = """
SELECT count(*) FROM library.family_memberships
WHERE products_as_of IS DISTINCT FROM updated_at AND (status = 'active' OR products_since IS NOT NULL)
"""


def command(dsn):
    size = ("--users", str(USERS), "--scale", "1", "--seed", str(SEED), "--part", str(PART))
    return [sys.executable, str(SCRIPT), "--dsn", dsn, *size]


async def steps(connection):
    return {row["name"] for row in await connection.fetch("SELECT name FROM fill.steps")}


async def kill_at_the_last_part(dsn, log):
    """Kills a fill that has written all rows of the last part and can't record it: nothing of that part may stay."""
    await planned(dsn, *PLAN)
    connection = await asyncpg.connect(dsn)
    last = step_of(USERS // PART - 1)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("INSERT INTO fill.steps (name) VALUES ($1)", last)
    with log.open("wb") as output:
        process = subprocess.Popen(command(dsn), stdout=output, stderr=output)
    waiting = await asyncpg.connect(dsn)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await waiting.fetchval(WAITS):
            assert process.poll() is None, log.read_text()
            await asyncio.sleep(0.1)
    process.kill()
    process.wait()
    await transaction.rollback()
    await waiting.close()
    await connection.close()
    return last


async def rows_of(dsn, tables):
    connection = await asyncpg.connect(dsn)
    counts = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in sorted(tables)}
    await connection.close()
    return counts


async def fill_in_two_runs(dsn, log):
    last = await kill_at_the_last_part(dsn, log)
    connection = await asyncpg.connect(dsn)
    assert last not in await steps(connection)
    assert "catalog" in await steps(connection)
    run = subprocess.run(command(dsn), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert await steps(connection) == {"catalog", *map(step_of, range(USERS // PART)), "counters", "vacuum"}
    await connection.close()


@pytest.fixture(scope="module")
def filled(create_database, tmp_path_factory):
    """The DSN of a database that was filled by two runs, of which the first one was killed."""
    dsn = create_database(*MIGRATIONS)
    before = asyncio.run(rows_of(dsn, EMPTY))
    asyncio.run(fill_in_two_runs(dsn, tmp_path_factory.mktemp("fill") / "killed.log"))
    # What migrations and services write is left alone.
    assert asyncio.run(rows_of(dsn, EMPTY)) == before
    return dsn


@pytest.fixture
async def connection(filled):
    made = await asyncpg.connect(filled)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def filled_service(create_platform, filled):
    platform = create_platform(filled)
    service = platform.service()
    service.start(outlives_test=True)
    service.token = platform.token
    yield service
    platform.close()


@pytest.fixture
async def users(connection):
    """Those with the most games, and some others."""
    rows = await connection.fetch(
        "SELECT user_id FROM library.user_library_items WHERE acquisition_type IS NOT NULL "
        "GROUP BY user_id ORDER BY count(*) DESC, user_id"
    )
    return [row["user_id"] for row in (*rows[:5], *rows[5::40])]


async def test_every_table_of_the_migrations_is_known(connection, filled):
    """A new table is filled, or stays empty for a reason: not both."""
    tables = {row["name"] for row in await connection.fetch(TABLES)}
    assert FILLED & EMPTY.keys() == set()
    assert tables - FILLED - EMPTY.keys() == set()
    counts = await rows_of(filled, tables)
    assert {name for name in FILLED if not counts[name]} == set()


async def test_no_user_is_there_twice_or_missing(connection):
    rows = await connection.fetch("SELECT user_id FROM gateway.user_streams")
    assert {row["user_id"].bytes for row in rows} == {user_id(SEED, number) for number in range(USERS)}
    items = await connection.fetchval("SELECT count(*) FROM library.user_library_items")
    grants = await connection.fetchval("SELECT count(*) FROM library.ownership_grants")
    assert items == grants > 3 * USERS


async def test_another_plan_is_refused(filled):
    with pytest.raises(OtherPlan, match="is being filled with 640 users and the seed 5"):
        await planned(filled, SEED + 1, USERS, PART)


async def test_a_part_is_the_same_each_time(filled):
    plan, _ = await planned(filled, *PLAN)
    products = catalog(SEED, USERS)
    first, second = (part_of(plan, 1, products) for _ in range(2))
    assert dict(first.copies) == dict(second.copies)
    assert moment(plan.now).microsecond == 0


async def test_a_recount_finds_all_rarities_right(connection):
    rows = await connection.fetch("SELECT product_id FROM achievements.product_owners WHERE owners > 1")
    assert len(rows) > 50
    assert await RarityCounters(connection).differences([row["product_id"] for row in rows]) == []


async def test_totals_of_playtime_are_those_of_the_ledger(connection, users):
    playtime = PlaytimeService(connection, None, None, None)
    assert [await playtime.discrepancies(user) for user in users] == [[]] * len(users)


async def test_items_show_the_totals_of_playtime(connection):
    differing = """
    SELECT count(*) FROM library.user_library_items i FULL JOIN playtime.playtime_totals t USING (user_id, product_id)
    WHERE coalesce(i.total_playtime_seconds, -1) <> coalesce(t.played_seconds + t.corrected_seconds, 0)
       OR i.last_played_at IS DISTINCT FROM t.last_played_at
    """
    assert await connection.fetchval(differing) == 0


async def test_pages_have_what_was_filled(connection, users, filled_service):
    games = "SELECT count(*) FROM library.user_library_items WHERE user_id = $1 AND acquisition_type IS NOT NULL"
    wishes = "SELECT count(*) FROM wishlist.wishlist_items WHERE user_id = $1"
    sessions = "SELECT count(*) FROM playtime.playtime_sessions WHERE user_id = $1"
    saves = "SELECT count(*) FROM savegames.savegame_slots WHERE user_id = $1"
    categories = "SELECT count(*) FROM library.user_game_categories WHERE user_id = $1"
    pages = {
        "/items?include_hidden=true&shared=exclude": games,
        "/wishlist/items": wishes,
        "/playtime/sessions": sessions,
        "/savegames": saves,
        "/categories": categories,
    }
    async with httpx.AsyncClient(base_url=filled_service.api) as http:
        for user in users:
            headers = {"Authorization": f"Bearer {filled_service.token(user)}"}
            for path, query in pages.items():
                answer = (await http.get(path, headers=headers)).raise_for_status().json()
                assert answer["meta"]["total_items"] == await connection.fetchval(query, user), path


async def test_the_quota_is_the_sum_of_the_saves(connection, filled_service):
    rows = await connection.fetch(
        "SELECT user_id, sum(file_size_bytes) AS bytes FROM savegames.savegame_contents GROUP BY user_id LIMIT 20"
    )
    async with httpx.AsyncClient(base_url=filled_service.api) as http:
        for row in rows:
            headers = {"Authorization": f"Bearer {filled_service.token(row['user_id'])}"}
            quota = (await http.get("/savegames/quota", headers=headers)).raise_for_status().json()
            assert (
                quota["data"]["attributes"]["used_bytes"] == row["bytes"] <= quota["data"]["attributes"]["limit_bytes"]
            )


async def test_clients_resume_from_the_feed(connection, filled_service):
    row = await connection.fetchrow(
        "SELECT user_id, min(sequence) - 1 AS cursor, count(*) AS messages FROM gateway.feed GROUP BY user_id LIMIT 1"
    )
    headers = {"Authorization": f"Bearer {filled_service.token(row['user_id'])}"}
    async with httpx.AsyncClient(base_url=filled_service.api) as http:
        answer = await http.get("/events", params={"cursor": row["cursor"], "limit": 100}, headers=headers)
    assert [one["attributes"]["event_type"] for one in answer.json()["data"]] == ["library.item.updated"] * row[
        "messages"
    ]


async def test_members_see_the_games_of_owners(connection, filled_service):
    """A page has the games that active owners have and may share, and that the member does not own."""
    rows = await connection.fetch(SEEN)
    async with httpx.AsyncClient(base_url=filled_service.api) as http:
        for row in rows:
            headers = {"Authorization": f"Bearer {filled_service.token(row['user_id'])}"}
            page = await http.get("/items?shared=only&include_hidden=true", headers=headers)
            assert page.json()["meta"]["total_items"] == row["games"] > 0


async def test_members_have_the_games_that_owners_share(connection, filled_service):
    """The service makes these rows again, and they are the same."""
    before = await connection.fetch(SHARED)
    assert await connection.fetchval(OUTDATED) == 0
    await connection.execute("UPDATE library.family_memberships SET products_as_of = NULL WHERE status = 'active'")
    assert await connection.fetchval(OUTDATED) > 5
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval(OUTDATED):
            await asyncio.sleep(0.1)
    assert await connection.fetch(SHARED) == before
