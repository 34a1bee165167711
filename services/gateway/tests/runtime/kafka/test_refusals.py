"""Records that PostgreSQL refuses for everybody wait and are retried: no dead letters, and metrics show it."""

import json
import re
import time
import urllib.request
from uuid import uuid4

import asyncpg
import pytest

ROLE = "consumer_tests"


@pytest.fixture(scope="module")
def service(platform, postgres):
    """A service whose rights can be taken away: it is not the owner of its tables."""
    return platform.service(
        POSTGRES_DSN=platform.dsn + ("&" if "?" in platform.dsn else "?") + f"options=-crole%3D{ROLE}"
    )


@pytest.fixture(scope="module")
async def rights(platform, service):
    connection = await asyncpg.connect(platform.dsn)
    # It has to log in where Citus connects to the machines of the shards: it does so as the role of the statement.
    await connection.execute(f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    for schema in ("gateway", "library", "playtime", "achievements", "wishlist", "settings", "savegames"):
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}")
        await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {ROLE}")
        await connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {ROLE}")
    service.start()
    yield connection
    await connection.close()


def metric(service, name, **labels):
    """The sum of a metric's series that have these labels."""
    with urllib.request.urlopen(service.metrics) as answer:
        text = answer.read().decode()
    total = 0.0
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            total += float(found[2])
    return total


def readiness(service):
    """Returns the state of PostgreSQL that readiness, which stays 200, shows."""
    with urllib.request.urlopen(service.url + "/health/ready") as answer:
        return json.load(answer)["dependencies"]["postgresql"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("take", "give"),
    [
        (
            f"REVOKE INSERT ON library.ownership_grants FROM {ROLE}",
            f"GRANT INSERT ON library.ownership_grants TO {ROLE}",
        ),
        pytest.param(
            f"REVOKE ALL ON gateway.inbox FROM {ROLE}",
            f"GRANT ALL ON gateway.inbox TO {ROLE}",
            marks=pytest.mark.long,
        ),
        pytest.param(
            f"REVOKE INSERT ON gateway.outbox FROM {ROLE}",
            f"GRANT INSERT ON gateway.outbox TO {ROLE}",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "ALTER TABLE library.ownership_grants RENAME TO away",
            "ALTER TABLE library.away RENAME TO ownership_grants",
            marks=pytest.mark.long,
        ),
    ],
    ids=["grants", "inbox", "outbox", "missing table"],
)
async def test_purchases_wait_for_rights_and_arrive_once_they_are_back(
    rights, service, new_player, owns, wait_until, take, give
):
    players = {new_player(): uuid4() for _ in range(20)}
    for player in players:
        await player.get("/items")
    before = metric(service, "dependency_errors_total", dependency="postgresql")
    await rights.execute(take)
    try:
        for player, game in players.items():
            await player.buys(game)

        async def seen():
            errors = metric(service, "dependency_errors_total", dependency="postgresql")
            return (
                errors >= before + 2 and metric(service, "kafka_consumer_lag") > 0 and readiness(service) == "degraded"
            )

        await wait_until(seen)
        assert await rights.fetchval("SELECT count(*) FROM gateway.dead_letters") == 0
    finally:
        await rights.execute(give)
    began = time.monotonic()
    for player, game in players.items():
        await owns(player, game)
    print(f"all have theirs {time.monotonic() - began:.2f} s after the rights are back")
    assert await rights.fetchval("SELECT count(*) FROM gateway.dead_letters") == 0

    async def has_caught_up():
        return metric(service, "kafka_consumer_lag") == 0 and readiness(service) == "ok"

    await wait_until(has_caught_up)


async def test_the_lag_grows_while_records_wait(rights, service, player, owns, wait_until):
    games = [uuid4() for _ in range(30)]
    await rights.execute(f"REVOKE INSERT ON library.ownership_grants FROM {ROLE}")
    try:
        for game in games:
            await player.buys(game)

        async def grows():
            return metric(service, "kafka_consumer_lag", topic="com.platform.payment.events.v1") >= len(games) - 1

        await wait_until(grows)
    finally:
        await rights.execute(f"GRANT INSERT ON library.ownership_grants TO {ROLE}")
    await owns(player, *games)


async def test_a_state_is_logged_once_when_it_begins_and_once_when_it_ends(rights, service, player, owns, wait_until):
    await rights.execute(f"REVOKE INSERT ON library.ownership_grants FROM {ROLE}")
    log = service.log.read_text()
    errors = metric(service, "dependency_errors_total", dependency="postgresql")
    await player.buys(game := uuid4())

    async def repeated():
        return metric(service, "dependency_errors_total", dependency="postgresql") >= errors + 4

    await wait_until(repeated)
    await rights.execute(f"GRANT INSERT ON library.ownership_grants TO {ROLE}")
    await owns(player, game)

    async def is_over():
        return "InsufficientPrivilegeError is over" in service.log.read_text()[len(log) :]

    await wait_until(is_over)
    since = service.log.read_text()[len(log) :]
    assert since.count(" wait: InsufficientPrivilegeError") == 1
