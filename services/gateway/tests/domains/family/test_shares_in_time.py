"""Why a member is notified within two seconds of what the owner buys or loses: a job announces it in its next run."""

import asyncio
import json
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.wiring import build
from redis.asyncio import Redis

REFUNDED = "com.platform.payment.purchase.refunded.v1"
PAUSE_SECONDS = 0.5
"""The most that a change waits for a run; the rest of the two seconds is for the run and its announcement."""


@pytest.fixture(scope="module")
def service(platform):
    """Without jobs: each test runs the one that it is about."""
    made = platform.service(LIBRARY_SERVICE_ROLES="api,consumer,relay")
    made.start()
    return made


@pytest.fixture
async def job(platform):
    """The job that notifies members, in this process and not started."""
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="jobs").environment))
    [found] = [job for job in gateway.jobs if job.name == "shared products"]
    yield found
    await gateway.close()


@pytest.fixture
async def family(new_player):
    """An owner who shares everything with a member, and owns nothing yet."""
    owner, member = new_player(), new_player()
    invited = await owner.post("/family/links", {"shared_with_user_id": str(member.id)})
    accepted = await member.post(f"/family/links/{invited.json()['data']['id']}/accept")
    assert accepted.status_code == 200, accepted.text
    return owner, member


def of_game(message):
    """The kind of a message, and the product that it names."""
    return message["event_type"], message["payload"].get("product_id")


async def notified(member):
    """The messages about games to the member's devices, oldest first."""
    feed = (await member.get("/events", cursor="0", limit=100))["data"]
    return [message for one in feed if (message := of_game(one["attributes"]))[1]]


async def marks(connection, owner):
    return await connection.fetchval("SELECT count(*) FROM library.share_changes WHERE owner_user_id = $1", owner.id)


async def test_a_change_waits_for_one_run_of_a_job_that_pauses_briefly(family, job, connection, wait_until):
    owner, member = family
    await job.run()  # the link's own
    bought = await owner.buys(game := uuid4())
    await wait_until(owner.products)
    assert (await marks(connection, owner), await notified(member)) == (1, []), "the mark comes with the purchase"
    await job.run()
    assert await notified(member) == [("library.item.added", str(game))]
    await owner.publish(CloudEvent(REFUNDED, bought.data))

    async def lost():
        return not await owner.products()

    await wait_until(lost)
    assert await marks(connection, owner) == 1
    await job.run()
    assert (await notified(member))[1:] == [("library.item.removed", str(game))]
    assert job.seconds <= PAUSE_SECONDS


async def announced(channel):
    """The messages about games of the next commit that is announced."""
    while (found := await channel.get_message(timeout=1)) is None:
        pass
    _, _, messages = decode(found["data"])
    return [of_game(json.loads(text)) for _, text in messages]


async def test_a_process_that_has_jobs_alone_announces_the_member_s_messages(family, platform):
    """Else the member's device, which is connected elsewhere, would have to wait for the sweep."""
    owner, member = family
    redis = Redis(port=platform.valkey.port)
    channel = redis.pubsub(ignore_subscribe_messages=True)
    await channel.subscribe(f"library:user:{member.id}")
    platform.service(LIBRARY_SERVICE_ROLES="jobs").start()
    await member.keeps_shares()
    await owner.buys(game := uuid4())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ("library.item.added", str(game)) not in await announced(channel):
            pass
    await channel.aclose()
    await redis.aclose()
