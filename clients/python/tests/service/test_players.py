"""A player signs out, and another one in, in a program that keeps its client."""

import pytest
from gameshelf.client import MemoryQueueStore
from gameshelf.client.queue_entries import ENDED_SESSION, SESSION


@pytest.fixture
def kept():
    return MemoryQueueStore()


@pytest.fixture
def play_shared(shared, play, kept):
    return lambda: play(playtime=shared.playtime, queue=shared.offline_queue(kept))


def owners(kept):
    return [(entry.kind, entry.user) for entry in kept.load()]


async def test_what_the_service_has_missed_waits_for_its_player(
    client, player, proxy, play_shared, machine, notices, kept
):
    async with play_shared() as session:
        proxy.cut()
        await machine.beat()
        proxy.refuse(401, "UNAUTHENTICATED")
        await machine.beat_last(session)
    assert [one.kind for one in notices] == ["offline", "ended"]
    assert owners(kept) == [(ENDED_SESSION, str(player.user))]
    later = client.offline_queue(kept)
    later._now = machine.now
    await later.send()
    assert kept.load() == []
    assert [one["attributes"]["end_reason"] async for one in client.playtime.list_sessions()] == ["completed"]


async def test_an_end_that_is_answered_for_another_player_is_kept(player, proxy, play_shared, kept):
    async with play_shared():
        proxy.refuse(401, "UNAUTHENTICATED")
    assert owners(kept) == [(ENDED_SESSION, str(player.user))]


async def test_what_was_played_without_the_network_is_not_the_next_players(player, proxy, play_shared, machine, kept):
    proxy.cut(20)
    async with play_shared() as session:
        await machine.beat()
        proxy.faults.clear()
        proxy.refuse(401, "UNAUTHENTICATED")
        await machine.beat_last(session)
    assert owners(kept) == [(SESSION, str(player.user))]
