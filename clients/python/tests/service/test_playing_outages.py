"""Outages of a game that runs: what the player is notified of, and clocks that are set meanwhile."""

import asyncio
from datetime import datetime, timedelta

import pytest
from gameshelf.client import MemoryQueueStore, PlayQueue
from gameshelf.client.offline import ENDED_JUST_NOW
from gameshelf.client.queue_entries import ENDED_SESSION, OPEN_SESSION, SESSION, to_text
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


def kinds(notices):
    return [one.kind for one in notices]


async def sessions(client):
    return [one["attributes"] async for one in client.playtime.list_sessions()]


async def lengths(queue):
    """Of the sessions in a queue, in seconds."""
    times = [one.attributes for one in await queue.entries()]
    return [
        (datetime.fromisoformat(one["end_time"]) - datetime.fromisoformat(one["start_time"])).total_seconds()
        for one in times
    ]


def refuse_as_timed_out(proxy, ended):
    proxy.refuse(409, "SESSION_ALREADY_ENDED", meta={"end_time": to_text(ended), "end_reason": "timeout"})


class TestNotices:
    async def test_a_game_that_began_without_the_network_finds_it(self, client, proxy, play, machine, queue, notices):
        proxy.cut(6 + 1)
        async with play() as session:
            await machine.beat()
            assert (session.id, kinds(notices)) == (None, ["offline"])
            await machine.beat()
            assert kinds(notices) == ["offline", "online"]
            [entry] = await queue.entries()
            assert (entry.kind, await lengths(queue)) == (SESSION, [120])
            await machine.beat()
        await queue.send()
        assert sorted(one["end_reason"] for one in await sessions(client)) == ["completed", "imported"]

    async def test_an_outage_of_a_session_that_times_out_is_one(self, proxy, play, machine, queue, notices):
        """The service answers that the session has timed out, and is away again when another one should begin."""
        began = machine.time
        async with play() as session:
            await machine.beat()
            proxy.refuse(503)
            await machine.beat()
            refuse_as_timed_out(proxy, began + timedelta(seconds=60))
            proxy.cut(6 + 1)
            await machine.beat()
            assert session.id is None
            await machine.beat()
            assert kinds(notices) == ["offline"]
            await machine.beat()
            assert session.id
            assert kinds(notices) == ["offline", "online"]
        assert await lengths(queue) == [120, 120]

    async def test_a_session_that_times_out_without_an_outage_says_nothing(self, proxy, play, machine, notices):
        async with play():
            refuse_as_timed_out(proxy, machine.time)
            await machine.beat()
        assert notices == []

    async def test_without_a_queue_the_outage_is_noted_too(self, proxy, play, machine, notices):
        async with play(queue=None) as session:
            refuse_as_timed_out(proxy, machine.time)
            proxy.cut(6)
            await machine.beat()
            assert kinds(notices) == ["offline"]
            refuse_as_timed_out(proxy, machine.time)
            await machine.beat()
            assert (kinds(notices), session.is_over) == (["offline", "online"], False)

    async def test_who_may_not_play_any_more_keeps_what_was_played(self, proxy, play, machine, queue, notices):
        proxy.cut(6)
        async with play() as session:
            proxy.refuse(401, "UNAUTHENTICATED")
            await machine.beat()
            assert [one.kind for one in await queue.entries()] == [OPEN_SESSION]
            proxy.refuse(403, "PERMISSION_DENIED")
            machine.time += timedelta(seconds=60)
            machine.beats.put_nowait(None)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not session.is_over:
                    await asyncio.sleep(0.01)
        assert (kinds(notices), notices[1].code) == (["offline", "ended"], "PERMISSION_DENIED")
        assert [one.kind for one in await queue.entries()] == [SESSION]
        assert await lengths(queue) == [120]

    async def test_a_handler_that_fails_costs_nothing(self, client, proxy, play, machine, queue):
        def fail(notice):
            raise RuntimeError("a bug of the game")

        proxy.cut(6)
        async with play(on_notice=fail):
            await machine.beat()
            assert await lengths(queue) == [60]
            proxy.refuse(503)
            await machine.beat()
        assert [one["end_reason"] for one in await sessions(client)] == ["completed"]

    async def test_a_disk_that_is_full_keeps_nobody_from_playing(self, client, proxy, play, machine, notices):
        class FullDisk(MemoryQueueStore):
            def put(self, entry):
                raise OSError("the disk is full")

        proxy.cut(6)
        async with play(queue=PlayQueue(None, None, FullDisk())) as session:
            assert kinds(notices) == ["failed", "offline"]
            session._queue._store.put = lambda entry: None
            await machine.beat()
            assert session.id
        assert kinds(notices) == ["failed", "offline", "online"]


class TestClocks:
    """A wrong clock costs nothing, whenever it is set right (aws-amplify/aws-sdk-ios#197)."""

    @pytest.mark.parametrize("error", [timedelta(hours=2), timedelta(hours=-2)])
    async def test_a_clock_that_is_set_right_in_an_outage(self, proxy, play, machine, queue, error):
        machine.error, began = error, machine.time
        async with play():
            await machine.beat()
            proxy.refuse(503)
            await machine.beat()
            machine.error = timedelta()
            for _ in range(3):
                proxy.refuse(503)
                await machine.beat()
            refuse_as_timed_out(proxy, began + timedelta(seconds=60))
            await machine.beat()
            played = await lengths(queue)
            ends = [datetime.fromisoformat(one.attributes["end_time"]) for one in await queue.entries()]
        # A clock that is set forward looks like a sleep: that turn is lost.
        assert sum(played) == pytest.approx(300 if error > timedelta() else 240, abs=1)
        assert abs(ends[-1] - machine.time) <= timedelta(seconds=1)

    async def test_a_session_that_is_resumed_by_a_machine_with_a_slow_clock(self, proxy, play, machine, queue):
        machine.error = timedelta(hours=-2)
        began = machine.time
        crashed = play()
        await crashed.__aenter__()
        crashed._beating.cancel()
        machine.is_first = True
        async with play() as session:
            assert session.id == crashed.id
            await machine.beat()
            refuse_as_timed_out(proxy, began + timedelta(seconds=60))
            await machine.beat()
        [rest] = await queue.entries()
        assert datetime.fromisoformat(rest.attributes["start_time"]) == began + timedelta(seconds=60)
        assert datetime.fromisoformat(rest.attributes["end_time"]) - began < timedelta(seconds=121)
        assert await lengths(queue) == [pytest.approx(60, abs=1)]

    async def test_a_clock_that_is_set_right_during_an_offline_session(self, client, proxy, play, machine, queue):
        machine.error = timedelta(hours=2)
        proxy.cut(20)
        async with play():
            await machine.beat()
            machine.error = timedelta()
            await machine.beat()
            await machine.beat()
        [entry] = await queue.entries()
        assert datetime.fromisoformat(entry.attributes["end_time"]) == machine.time
        assert await lengths(queue) == [120]


class TestEnds:
    async def test_a_game_that_ends_while_it_waits_for_another_session(self, proxy, play, machine, queue):
        """The machine wakes up, the player ends the game at once, and the network is slow."""
        began = machine.time
        async with play() as session:
            await machine.beat()
            refuse_as_timed_out(proxy, began)
            proxy.stall()
            seen = len(proxy.seen)
            machine.time += timedelta(seconds=60)
            machine.beats.put_nowait(None)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(proxy.seen) < seen + 2:
                    await asyncio.sleep(0.01)
            proxy.refuse(409, "SESSION_ALREADY_ENDED", meta={"end_time": to_text(began), "end_reason": "timeout"})
        assert [one.id for one in await queue.entries()] == [f"{session.id}-rest-0"]
        assert await lengths(queue) == [120]

    @pytest.mark.parametrize(("late", "reasons"), [(5, ["completed"]), (5.1, [None]), (-1, [None])])
    async def test_an_end_is_reported_for_five_seconds(self, client, proxy, play, machine, queue, late, reasons):
        """Later, or if the clock was set back, it would count the time until then: it waits for the time-out."""
        assert timedelta(seconds=5) == ENDED_JUST_NOW
        async with play():
            proxy.cut(6)
        proxy.faults.clear()
        queue._now = lambda: machine.time + timedelta(seconds=late)
        await queue.send()
        assert [one["end_reason"] for one in await sessions(client)] == reasons
        assert len(await queue.entries()) == (0 if reasons == ["completed"] else 1)

    async def test_a_client_that_is_closed_before_the_game_keeps_the_end(self, connect, play, queue):
        away = connect()
        async with play(playtime=away.playtime):
            await away.aclose()
        assert [one.kind for one in await queue.entries()] == [ENDED_SESSION]

    async def test_a_player_who_waits_no_longer_keeps_the_end(self, client, proxy, play, machine, queue):
        """The second Ctrl-C."""
        session = play()
        await session.__aenter__()
        proxy.stall()
        seen = len(proxy.seen)
        ending = asyncio.create_task(session.__aexit__(None, None, None))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(proxy.seen) == seen:
                await asyncio.sleep(0.01)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert [one.kind for one in await queue.entries()] == [ENDED_SESSION]
        queue._now = machine.now
        await queue.send()
        assert [one["end_reason"] for one in await sessions(client)] == ["completed"]
