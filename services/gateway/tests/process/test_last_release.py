"""The last released version runs on the schema of this one: operators migrate first, and replace instances after.

Its code is that of the release's commit. Each version reads what the other one has written.
"""

import asyncio
import json
import re
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack import demo, demo_story
from gameshelf.devstack.events import CloudEvent, publish, until_applied
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.tables import NOBODY

pytestmark = pytest.mark.long
ERASURE_KEY = "0123456789abcdef" * 4
PAGES = (
    "/items?include_hidden=true",
    "/categories",
    "/family/links",
    "/playtime",
    "/playtime/sessions",
    "/achievements/summary",
    "/wishlist/items",
    "/savegames",
    "/savegames/quota",
    "/savegames/conflicts",
    "/settings",
)


@pytest.fixture(scope="module")
def versions(create_platform, s3, released):
    """The last release and this version, side by side on the schema of this one."""
    platform = create_platform(s3=s3)
    old, new = platform.service(**released.environment), platform.service()
    for service in (old, new):
        service.start(outlives_test=True)
    yield platform, old, new
    platform.close()


def running_version(service):
    with urllib.request.urlopen(service.metrics) as response:
        return re.search(r'^build_info{.*version="([^"]+)"', response.read().decode(), re.MULTILINE)[1]


def errors_in(service):
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["level"] in {"ERROR", "CRITICAL"}]


async def play_and_set(service, platform, user_id):
    """Writes that the demo's players make none of: settings, and a running session."""
    headers = {"Authorization": f"Bearer {platform.token(user_id)}"}
    product = str(demo.product_id("iron-samovar"))
    async with httpx.AsyncClient(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as http:
        settings = {"data": {"attributes": {"settings_payload": {"volume": 7}}}}
        assert (await http.put(f"/settings/{product}", json=settings)).status_code == 201
        begin = {"data": {"attributes": {"product_id": product, "device_id": "anna-pc"}}}
        session = (await http.post("/playtime/sessions/start", json=begin)).json()["data"]["id"]
        assert (await http.post(f"/playtime/sessions/{session}/heartbeat")).status_code == 204


async def pages_of(service, platform, user_id):
    """What a player sees in each domain. ETags and times of the answer are no part of it."""
    headers = {"Authorization": f"Bearer {platform.token(user_id)}"}
    async with httpx.AsyncClient(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as http:
        answers = {path: await http.get(path) for path in PAGES}
    assert {path: answer.text for path, answer in answers.items() if answer.status_code != 200} == {}
    return {
        path: sorted((entry["type"], str(entry["id"])) for entry in rows(answer.json()["data"]))
        for path, answer in answers.items()
    }


def rows(data):
    return data if isinstance(data, list) else [data]


async def test_the_release_serves_every_domain_on_the_new_schema(versions, released):
    platform, old, new = versions
    assert running_version(old) == str(released.version)
    now = datetime.now(UTC)
    events = demo.events("http://pictures.example", now)
    await publish(platform.kafka.address, events)
    await until_applied(platform.dsn, events, PATIENCE_SECONDS, erasure_key=ERASURE_KEY)
    demo_story.play_story(old.api, lambda user: platform.token(user), now)
    await play_and_set(old, platform, demo.ANNA)
    seen = await pages_of(old, platform, demo.ANNA)
    assert [path for path in PAGES if not seen[path]] == []
    assert await pages_of(new, platform, demo.ANNA) == seen
    assert (errors_in(old), errors_in(new)) == ([], [])


async def test_both_publish_each_users_events_once_and_in_order(versions, purchase_of, wait_until, read_records):
    """Each finds and deletes the records of the other, in whichever way it finds them, also those about no user."""
    platform, old, new = versions
    await asyncio.gather(*(wait_until(lambda one=one: asyncio.to_thread(one.is_ready)) for one in (old, new)))
    players = [uuid4() for _ in range(24)]
    bought = [purchase_of(player, uuid4(), order=f"order-{number}") for number in range(20) for player in players]
    nobodys = [CloudEvent(bought[0].type, {"orderId": f"nobodys-{number}"}) for number in range(12)]
    await publish(platform.kafka.address, [*bought, *nobodys])
    await until_applied(platform.dsn, bought, PATIENCE_SECONDS, erasure_key=ERASURE_KEY)
    connection = await asyncpg.connect(platform.dsn)

    async def all_sent():
        letters = await connection.fetchval("SELECT count(*) FROM gateway.dead_letters WHERE user_id = $1", NOBODY)
        return letters == len(nobodys) and not await connection.fetchval("SELECT count(*) FROM gateway.outbox")

    await wait_until(all_sent)
    await connection.close()
    expected = {str(player): list(range(1, 21)) for player in players}

    def numbers_of(records):
        found = defaultdict(list)
        for record in records:
            found[record.key.decode()].append(int(json.loads(record.value)["sequence"]))
        return {player: found[player] for player in expected}

    def is_complete(records):
        return sum(map(len, numbers_of(records).values())) >= len(bought)

    records = await read_records(platform, "com.platform.library.events.v1", is_complete)
    assert numbers_of(records) == expected
    assert (errors_in(old), errors_in(new)) == ([], [])


async def test_the_release_alone_applies_events_and_ends_in_order(platform, released):
    old = platform.service(**released.environment)
    old.start()
    player = uuid4()
    orders = [
        CloudEvent(
            "com.platform.payment.purchase.completed.v1",
            {
                "userId": str(player),
                "orderId": f"order-{uuid4()}",
                "items": [{"productId": str(uuid4()), "productType": "game", "quantity": 1}],
            },
        )
        for _ in range(20)
    ]
    await publish(platform.kafka.address, orders)
    await until_applied(platform.dsn, orders, PATIENCE_SECONDS, erasure_key=ERASURE_KEY)
    headers = {"Authorization": f"Bearer {platform.token(player)}"}
    async with httpx.AsyncClient(base_url=old.api, headers=headers, timeout=PATIENCE_SECONDS) as http:
        assert (await http.get("/items")).json()["meta"]["total_items"] == len(orders)
    assert old.stop() == 0
    assert errors_in(old) == []
