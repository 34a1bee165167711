"""What was played without the network counts once, whatever fails on the way."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from gameshelf.client import FileQueueStore, LibraryUnreachable, MemoryQueueStore, RetryRules, TokenUnavailable
from gameshelf.client.offline import BATCH, PlayQueue
from gameshelf.client.queue_entries import ENDED_SESSION, refused_by_id, to_text
from gameshelf.client.queue_stores import QueueEntry
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


@pytest.fixture
def store(tmp_path):
    return FileQueueStore(tmp_path / "queue.db")


@pytest.fixture
def queue(client, store):
    return client.offline_queue(store)


@pytest.fixture
async def played(queue, owned, player):
    """Adds a session behind the one before: what overlaps counts once."""
    times = count(0, 70)

    async def add(seconds=60, product=None, **options):
        begin = datetime.now(UTC) + timedelta(seconds=next(times))
        return await queue.add_session(
            product or player.product, begin, begin + timedelta(seconds=seconds), device_id="deck-7", **options
        )

    return add


async def total(client):
    return sum([one["attributes"]["total_playtime_seconds"] async for one in client.playtime.summarize_playtime()])


async def test_a_session_and_an_unlock_arrive(client, queue, played, player):
    await player.name("FIRST_STEP")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await client.achievements.list_achievements(player.product)).data:
            await asyncio.sleep(0.05)
    session = await played(platform="linux")
    unlock = await queue.add_unlock(player.product, "FIRST_STEP", device_id="deck-7")
    done = await queue.send()
    assert done.sent == (session, unlock)
    assert (done.refused, await queue.entries()) == ((), [])
    assert await total(client) == 60
    [achievement] = (await client.achievements.list_achievements(player.product)).data
    assert achievement["attributes"]["is_unlocked"]


async def test_an_answer_that_is_lost_counts_once(client, proxy, queue, played):
    await played()
    proxy.lose(2)
    await queue.send()
    assert await total(client) == 60


async def test_a_crash_between_sending_and_removing_counts_once(client, proxy, queue, store, played):
    await played()
    remove, store.remove = store.remove, None
    with pytest.raises(TypeError):  # the process dies here
        await queue.send()
    store.remove = remove
    later = client.offline_queue(FileQueueStore(store._path))
    assert len((await later.send()).sent) == 1
    assert await later.entries() == []
    assert await total(client) == 60


async def test_without_the_network_everything_stays(client, proxy, queue, played):
    waiting = [await played(seconds) for seconds in (10, 20)]
    proxy.cut(20)
    with pytest.raises(LibraryUnreachable):
        await queue.send()
    assert await queue.entries() == waiting
    proxy.faults.clear()
    await queue.send()
    assert await total(client) == 30


async def test_an_element_that_cannot_be_read_holds_up_nobody(client, queue, played):
    await played(10)
    poisonous = await played(10, product="no product at all")
    await played(20)
    done = await queue.send()
    assert len(done.sent) == 2
    assert [(one.id, one.code) for one in done.refused] == [(poisonous.id, "VALIDATION_ERROR")]
    assert await total(client) == 30


@pytest.mark.parametrize("is_set_right", [False, True])
@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=-400)])
async def test_a_wrong_clock_costs_no_time_of_play(client, store, owned, player, ahead, is_set_right):
    """ably/docs#619: the clocks of devices are hours ahead, or start in the past without a battery."""
    now = datetime.now(UTC)
    queue = PlayQueue(client.playtime, client.achievements, store, lambda: now if is_set_right else now + ahead)
    begin = now + ahead - timedelta(seconds=60)
    entry = await queue.add_session(player.product, begin, now + ahead, device_id="deck-7")
    done = await queue.send()
    if is_set_right and ahead < timedelta():  # it may have been played then, as far as anybody can know
        assert [one.code for one in done.refused] == ["VALIDATION_ERROR"]
        return
    assert ([one.id for one in done.sent], await queue.entries()) == ([entry.id], [])
    [session] = [one["attributes"] async for one in client.playtime.list_sessions()]
    assert session["duration_seconds"] == 60
    assert abs(datetime.fromisoformat(session["end_time"]) - now) < timedelta(minutes=2)


async def test_what_the_service_fails_at_does_not_hold_up_the_rest(client, proxy, queue, played):
    now = to_text(datetime.now(UTC))
    said = {"product_id": str(uuid4()), "device_id": "d", "key": "k", "stretches": [[now, now]], "held_until": now}
    ill = QueueEntry(str(uuid4()), ENDED_SESSION, said)
    await queue.put(ill)
    await played(10)
    for _ in range(RetryRules().tries):
        proxy.refuse(500, "INTERNAL_ERROR")
    with pytest.raises(LibraryUnreachable) as found:
        await queue.send()
    assert found.value.refusal.status == 500
    assert [one.id for one in await queue.entries()] == [ill.id]
    assert await total(client) == 10


async def test_what_was_refused_waits_for_the_caller(client, proxy, queue, played, player):
    other = uuid4()
    entry = await played(10, product=other)
    done = await queue.send()
    assert [one.code for one in done.refused] == ["PERMISSION_DENIED"]
    del proxy.seen[:]
    assert (await queue.send()).sent == ()
    assert proxy.seen == []
    await queue.discard(entry.id)
    assert await queue.entries() == []


async def test_what_was_refused_may_be_tried_again(client, queue, played, player):
    await player.name("LATER")
    unlock = await queue.add_progress(player.product, "NOT_NAMED_YET", 3)
    assert [one.code for one in (await queue.send()).refused] == ["ACHIEVEMENT_NOT_FOUND"]
    await player.name("NOT_NAMED_YET")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await queue.entries():
            await queue.retry(unlock.id)
            await queue.send()
            await asyncio.sleep(0.05)


async def test_many_elements_go_in_batches_that_the_service_takes(client, proxy, queue, played, player):
    memory = MemoryQueueStore()
    queue = client.offline_queue(memory)
    for _ in range(BATCH + 1):
        await queue.add_unlock(player.product, "NOBODY_KNOWS_IT")
    del proxy.seen[:]
    assert len((await queue.send()).refused) == BATCH + 1
    assert len(proxy.seen) == 2


async def test_two_who_send_at_once_send_once(client, proxy, queue, played):
    await played()
    del proxy.seen[:]
    await asyncio.gather(queue.send(), queue.send())
    assert len(proxy.seen) == 1
    assert await total(client) == 60


@pytest.mark.parametrize("is_function", [False, True])
async def test_the_token_of_another_user_sends_nothing(connect, platform, proxy, store, queue, played, is_function):
    """firebase/firebase-js-sdk#737: what waited was sent for the user who signed in next."""
    entry = await played(10)
    token = platform.token(uuid4())
    async with connect((lambda: token) if is_function else token) as other:
        theirs = other.offline_queue(store)
        del proxy.seen[:]
        assert (await theirs.send()).sent == ()
        assert (proxy.seen, await theirs.entries()) == ([], [])
        await theirs.retry(entry.id)
    assert await queue.entries() == [entry]
    assert (await queue.send()).sent == (entry,)


async def test_a_user_who_signs_in_meanwhile_sends_nothing_of_another_one(shared, proxy, store, queue, played):
    entry = await played(10)
    theirs = shared.offline_queue(store)
    await shared.library.list_items().all()  # their token is known, and expires
    del proxy.seen[:]
    proxy.refuse(401, "UNAUTHENTICATED")
    with pytest.raises(TokenUnavailable, match="another one has signed in"):
        await theirs.send()
    assert (len(proxy.seen), await theirs.entries()) == (1, [])
    assert (await theirs.send()).sent == ()
    assert await queue.entries() == [entry]
    assert (await queue.send()).sent == (entry,)


def test_codes_are_those_of_the_elements_that_were_rejected():
    results = [
        {"attributes": {"client_session_id": "a", "result": "rejected", "code": "X"}},
        {"attributes": {"client_id": "b", "result": "rejected", "code": "Y"}},
        {"attributes": {"client_id": "c", "result": "duplicate", "code": None}},
    ]
    assert refused_by_id(results) == {"a": "X", "b": "Y"}
