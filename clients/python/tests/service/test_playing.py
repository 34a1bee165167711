"""A game that runs: what was played is counted, once, with and without the network."""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.client import LibraryRefusal, LibraryUnreachable, MemoryQueueStore, PlayQueue, PlaySession
from gameshelf.client.queue_entries import ABANDONED, ENDED_SESSION, OPEN_END, to_text
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


def kinds(notices):
    return [one.kind for one in notices]


async def sessions(client):
    return [one["attributes"] async for one in client.playtime.list_sessions()]


async def test_a_game_with_the_network(client, proxy, play, machine, queue):
    async with play() as session:
        await machine.beat()
        await machine.beat()
        assert (await client.playtime.get_session(session.id)).data["attributes"]["status"] == "active"
    assert sum(call.endswith("/heartbeat") for call in proxy.calls) == 2
    [played] = await sessions(client)
    assert (played["status"], played["end_reason"], played["platform"]) == ("completed", "completed", "linux")
    assert await queue.entries() == []


async def test_a_game_without_the_network_counts_later(client, proxy, play, machine, queue, notices):
    proxy.cut(20)
    async with play() as session:
        assert session.id is None
        await machine.beat()
        await machine.beat()
        machine.time += timedelta(seconds=30)
    assert kinds(notices) == ["offline"]
    proxy.faults.clear()
    assert await sessions(client) == []
    await queue.send()
    [played] = await sessions(client)
    assert (played["duration_seconds"], played["end_reason"]) == (150, "imported")


@pytest.mark.parametrize("failure", [OSError("the account is not reached"), KeyError("access_token")])
async def test_a_game_without_a_token_counts_later(client, connect, play, machine, queue, notices, failure):
    def provide():
        raise failure

    async with connect(provide) as away, play(playtime=away.playtime) as session:
        assert session.id is None
        await machine.beat()
    assert kinds(notices) == ["offline"]
    await queue.send()
    assert [one["duration_seconds"] for one in await sessions(client)] == [60]


async def test_a_renewal_that_fails_for_any_reason_costs_no_end(client, connect, proxy, play, machine, queue, player):
    answers = [player.token]

    async with connect(lambda: answers.pop(0)) as away, play(playtime=away.playtime) as session:
        proxy.refuse(401, "UNAUTHENTICATED")
        await machine.beat()
        assert session.id is not None
        proxy.refuse(401, "UNAUTHENTICATED")
    [entry] = await queue.entries()
    assert entry.kind == ENDED_SESSION
    queue._now = machine.now
    await queue.send()
    assert [one["status"] for one in await sessions(client)] == ["completed"]


async def test_a_game_that_crashes_without_the_network_loses_one_interval(client, proxy, play, machine, queue):
    proxy.cut(20)
    session = play()
    await session.__aenter__()
    await machine.beat()
    session._beating.cancel()  # the process is gone
    proxy.faults.clear()
    queue._now = lambda: machine.time
    assert (await queue.send()).sent == (), "it may still be played, by another process"
    queue._now = lambda: machine.time + ABANDONED + timedelta(seconds=1)
    await queue.send()
    assert [one["duration_seconds"] for one in await sessions(client)] == [60]


async def test_without_network_and_queue_the_caller_decides(proxy, play):
    proxy.cut(6)
    with pytest.raises(LibraryUnreachable):
        async with play(queue=None):
            pass


async def test_who_may_not_play_is_refused(client, platform, play, player, machine):
    player.product = "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"
    with pytest.raises(LibraryRefusal) as found:
        async with PlaySession(client.playtime, player.product, device_id="deck-7"):
            pass
    assert found.value.code == "PERMISSION_DENIED"


async def test_heartbeats_that_fail_do_not_end_the_session(client, proxy, play, machine, notices, queue):
    async with play() as session:
        for status in (503, 500, 401):
            proxy.refuse(status)
            await machine.beat()
            assert proxy.faults == deque(), "each is tried once: the next one follows soon"
        assert kinds(notices) == ["offline"]
        await machine.beat()
        assert kinds(notices) == ["offline", "online"]
        assert session.id
        assert await queue.entries() == [], "what was kept meanwhile is counted by the heartbeat"
    assert [one["end_reason"] for one in await sessions(client)] == ["completed"]


async def test_a_heartbeat_without_an_answer_is_given_up(play, machine, proxy, notices):
    """With the time limits of calls it would look like a sleep of the machine."""
    async with play(heartbeat_seconds=0.2) as session:
        proxy.stall()
        await machine.beat()
        assert (kinds(notices), session.is_over) == (["offline"], False)


async def test_a_crash_after_the_network_was_lost_loses_one_interval(client, proxy, play, machine, queue, time_out):
    session = play()
    await session.__aenter__()
    await machine.beat()
    for _ in range(2):
        proxy.refuse(503)
        await machine.beat()
    session._beating.cancel()  # the process is gone
    [entry] = await queue.entries()
    assert (entry.kind, entry.id) == (OPEN_END, session.id)
    queue._now = machine.now
    await queue.send()
    assert await queue.entries() == [entry], "it may still be played, by another process"
    queue._now = lambda: machine.time + ABANDONED + timedelta(seconds=1)
    await queue.send()
    assert await queue.entries() == [entry], "ended now, it would be longer than it was"
    await time_out(session.id, 60)
    await queue.send()
    assert sorted(one["duration_seconds"] for one in await sessions(client)) in ([60, 120], [60, 121])
    assert await queue.entries() == []


async def test_a_session_that_continues_after_a_crash_has_no_end(client, proxy, play, machine, queue):
    crashed = play()
    await crashed.__aenter__()
    proxy.refuse(503)
    await machine.beat()
    crashed._beating.cancel()
    assert [one.kind for one in await queue.entries()] == [OPEN_END]
    machine.is_first = True
    async with play() as session:
        assert session.id == crashed.id, "the service has not missed it yet"
        await machine.beat()
        assert await queue.entries() == []
    assert [one["end_reason"] for one in await sessions(client)] == ["completed"]


async def test_what_was_played_before_a_sleep_without_the_network_is_counted(proxy, play, machine, queue, notices):
    ended = machine.time + timedelta(seconds=60)
    async with play():
        await machine.beat()
        proxy.refuse(503)
        await machine.beat()
        proxy.refuse(409, "SESSION_ALREADY_ENDED", meta={"end_time": to_text(ended), "end_reason": "timeout"})
        await machine.beat(8 * 3600)
    [rest] = await queue.entries()
    begin, end = (datetime.fromisoformat(rest.attributes[name]) for name in ("start_time", "end_time"))
    assert end - begin == timedelta(seconds=60)
    assert kinds(notices) == ["offline", "online"]


async def test_an_end_that_finds_a_timeout_leaves_the_rest_to_be_sent(client, play, machine, queue, time_out):
    async with play() as session:
        await machine.beat()
        machine.time += timedelta(seconds=59)
        await time_out(session.id, 60)
    [rest] = await queue.entries()
    assert rest.id == f"{session.id}-rest-0"
    assert (await queue.send()).sent == (rest,)
    reasons = sorted(one["end_reason"] for one in await sessions(client))
    assert reasons == ["imported", "timeout"]
    assert 118 <= sum(one["duration_seconds"] for one in await sessions(client)) <= 121


async def test_a_token_that_is_refused_at_the_start_is_as_no_network(client, connect, platform, play, queue, player):
    expired = platform.issuer.issue(str(player.user), ttl=-3600)
    async with connect(expired) as away:
        async with play(playtime=away.playtime) as session:
            assert session.id is None
        with pytest.raises(LibraryRefusal):
            await play(playtime=away.playtime, queue=None).__aenter__()


async def test_a_disk_that_fails_is_shown_and_survived(proxy, play, machine, notices):
    class FullDisk(MemoryQueueStore):
        def put(self, entry):
            raise OSError("the disk is full")

    async with play(queue=PlayQueue(None, None, FullDisk())) as session:
        proxy.refuse(503)
        await machine.beat()
        await machine.beat()
        assert session.id
    assert kinds(notices) == ["offline", "failed", "online"]
    assert str(notices[1].error) == "the disk is full"


async def test_a_game_of_no_second_leaves_nothing(proxy, play, queue):
    proxy.cut(6)
    async with play():
        assert len(await queue.entries()) == 1
    assert await queue.entries() == []


async def test_an_end_whose_answer_is_lost_is_made_once(client, proxy, play, queue):
    async with play():
        proxy.lose()
    assert [one["status"] for one in await sessions(client)] == ["completed"]
    assert await queue.entries() == []


async def test_an_end_without_the_network_is_reported_later(client, proxy, play, machine, queue):
    async with play():
        proxy.cut(6)
    proxy.faults.clear()
    [entry] = await queue.entries()
    assert entry.kind == "ended_session"
    queue._now = machine.now
    await queue.send()
    assert [one["end_reason"] for one in await sessions(client)] == ["completed"]
    assert await queue.entries() == []


async def test_an_end_with_an_expired_token_is_reported_later(client, proxy, play, machine, queue):
    """supabase/supabase-js#1732: a token that could not be renewed, and what was done meanwhile was gone."""
    async with play():
        proxy.answer(401, b'{"errors": [{"code": "UNAUTHENTICATED"}]}')
    [entry] = await queue.entries()
    assert entry.kind == "ended_session"
    queue._now = machine.now
    await queue.send()
    assert [one["end_reason"] for one in await sessions(client)] == ["completed"]
    assert await queue.entries() == []


async def test_what_was_played_after_a_timeout_is_added(client, proxy, play, machine, queue, notices):
    """The network was away for ten minutes, and the player did not notice."""
    began = machine.time
    async with play():
        for _ in range(9):
            await machine.beat()
        ended = began + timedelta(seconds=60)
        proxy.refuse(409, "SESSION_ALREADY_ENDED", meta={"end_time": to_text(ended), "end_reason": "timeout"})
        await machine.beat()
    assert notices == []
    [rest] = await queue.entries()
    assert datetime.fromisoformat(rest.attributes["end_time"]) - ended == timedelta(seconds=540)


async def test_the_sleep_of_a_machine_is_not_played(client, proxy, play, machine, queue):
    began = machine.time
    async with play():
        ended = began + timedelta(seconds=60)
        await machine.beat()
        proxy.refuse(409, "SESSION_ALREADY_ENDED", meta={"end_time": to_text(ended), "end_reason": "timeout"})
        await machine.beat(8 * 3600)
        assert await queue.entries() == []
        await machine.beat()
    proxy.cut(20)
    async with play():
        await machine.beat(60)
        await machine.beat(8 * 3600)
        await machine.beat(60)
    times = [one.attributes for one in await queue.entries()]
    lengths = [datetime.fromisoformat(one["end_time"]) - datetime.fromisoformat(one["start_time"]) for one in times]
    assert lengths == [timedelta(seconds=60), timedelta(seconds=60)]


async def test_a_disk_that_fails_after_a_sleep_loses_no_stretch(proxy, play, machine, queue):
    def fail(entry):
        raise OSError("the disk is full")

    proxy.cut(20)
    put = queue._store.put
    async with play():
        await machine.beat(60)
        queue._store.put = fail
        await machine.beat(8 * 3600)
        queue._store.put = put
        await machine.beat(60)
    times = [one.attributes for one in await queue.entries()]
    lengths = [datetime.fromisoformat(one["end_time"]) - datetime.fromisoformat(one["start_time"]) for one in times]
    assert lengths == [timedelta(seconds=60), timedelta(seconds=60)]


async def test_the_owner_wants_to_play(proxy, play, machine, notices):
    proxy_headers = {"X_Seat_Lost_At": "2026-11-28T10:00:00Z"}
    async with play() as session:
        for _ in range(2):
            proxy.answer(204, reaches=True, **proxy_headers)
            await machine.beat()
        assert [one.kind for one in notices] == ["seat_reclaimed"]
        assert notices[0].lost_at == datetime(2026, 11, 28, 10, tzinfo=UTC)
        proxy.refuse(409, "FAMILY_SEAT_LOST")
        machine.beats.put_nowait(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not session.is_over:
                await asyncio.sleep(0.01)
    assert (notices[1].kind, notices[1].code) == ("ended", "FAMILY_SEAT_LOST")
    assert not any(call.endswith("/end") for call in proxy.calls)
