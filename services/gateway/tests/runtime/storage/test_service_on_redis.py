"""Two services on Redis by a sentinel and as a cluster, while a replica takes over and while all of it is away."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
import websockets

pytestmark = [pytest.mark.real, pytest.mark.long]

SLOTS = 16384


@pytest.fixture(scope="module")
def service(platform):
    """Not started: each test has services of its own."""
    return platform.service()


@pytest.fixture
async def start(platform, identity):
    """Starts two services on these servers; both are asked to end at the end, without an error in their logs."""
    started = []

    async def two(group):
        started.extend(platform.service(**group.settings, **identity) for _ in range(2))
        for service in started:
            await asyncio.to_thread(service.start)
        return started

    yield two
    for service in started:
        assert await asyncio.to_thread(service.stop) == 0
        assert '"level": "ERROR"' not in service.log.read_text()


async def session_of(player, wait_until):
    """A running session of a game that the player buys."""
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    response = await player.post("/playtime/sessions/start", {"product_id": str(product)})
    assert response.status_code == 201, response.text
    return f"/playtime/sessions/{response.json()['data']['id']}"


async def beats_until_accepted(player, session, answers, wait_until, status=204):
    """Sends heartbeats until one has this status; counts all of them."""

    async def answered():
        answers[(await player.post(f"{session}/heartbeat")).status_code] += 1
        return answers[status]

    await wait_until(answered)


@pytest.mark.parametrize("kind", ["new_sentinel", "new_cluster"])
async def test_players_notice_a_failover_only_as_a_pause(
    kind, request, platform, start, new_player, wait_until, next_message
):
    make = request.getfixturevalue(kind)
    group = make() if kind == "new_sentinel" else make(replicas=True)
    here, there = await start(group)
    player = new_player(at=here)
    session = await session_of(player, wait_until)
    async with websockets.connect(there.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as device:
        await next_message(device, greeting=True)
        for number, node in enumerate(group.nodes[: 1 if kind == "new_sentinel" else 2]):
            answers = Counter()
            node.process.kill()
            for _ in range(20):
                answers[(await player.post(f"{session}/heartbeat")).status_code] += 1
            await beats_until_accepted(player, session, Counter(), wait_until)
            assert answers.keys() <= {204, 503}
            if kind == "new_cluster":
                replica = group.nodes[number + 3]
                await wait_until(lambda replica=replica: asyncio.to_thread(has_taken_over, group, replica))
        product = uuid4()
        await player.buys(product)
        message = await next_message(device)
        while message["payload"].get("product_id") != str(product):
            message = await next_message(device)
    assert (await player.get(session))["data"]["attributes"]["status"] == "active"


def has_taken_over(group, replica):
    """The next one may only die then: a minority that is left elects nobody, and is "ok" until it has noticed."""
    states = [node.ask("CLUSTER", "INFO")["cluster_state"] for node in group.running]
    return replica.ask("INFO", "replication")["role"] == "master" and set(states) == {"ok"}


def serve_one_third(group):
    """Takes the slots of the other nodes away; whether every node knows. They exchange slots meanwhile."""
    for node in group.nodes:
        known = [slot for first, last, *_ in node.ask("CLUSTER", "SLOTS") for slot in range(first, last + 1)]
        if unserved := [slot for slot in known if slot >= 5461]:
            node.ask("CLUSTER", "DELSLOTS", *unserved)
    return {node.ask("CLUSTER", "INFO")["cluster_slots_assigned"] for node in group.nodes} == {"5461"}


async def test_slots_that_nobody_serves_end_no_service(start, new_cluster, new_player, wait_until, next_message):
    group = new_cluster()
    for node in group.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    here, there = await start(group)
    players = [new_player(at=here) for _ in range(12)]  # their channels are in all parts of the slots
    await wait_until(lambda: asyncio.to_thread(serve_one_third, group))
    for player in players:
        async with websockets.connect(
            there.ws, additional_headers={"Authorization": f"Bearer {player.token}"}
        ) as device:
            await next_message(device, greeting=True)
            product = uuid4()
            await player.buys(product)
            assert (await next_message(device))["payload"]["product_id"] == str(product)
    group.nodes[0].ask("CLUSTER", "ADDSLOTS", *range(5461, SLOTS))
    player = new_player(at=here)
    await beats_until_accepted(player, await session_of(player, wait_until), Counter(), wait_until)


async def test_a_service_outlives_a_cluster_that_is_away_as_a_whole(start, new_cluster, new_player, wait_until):
    group = new_cluster()
    here, _ = await start(group)
    player = new_player(at=here)
    session = await session_of(player, wait_until)
    for node in group.nodes:
        node.process.kill()
    answers = Counter()
    await beats_until_accepted(player, session, answers, wait_until, status=503)
    for _ in range(5):
        answers[(await player.post(f"{session}/heartbeat")).status_code] += 1
    assert answers.keys() == {503}
    assert (await player.http.get("/items")).status_code == 200
    for node in group.nodes:
        node.start()
    await beats_until_accepted(player, session, Counter(), wait_until)
