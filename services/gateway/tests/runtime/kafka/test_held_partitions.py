"""Which partitions of a topic wait, and for how long."""

import asyncio

import pytest
from gameshelf.gateway.runtime.kafka.partitions import MOST_KEYS, HeldPartitions
from gameshelf.gateway.runtime.kafka.sending import SendOutcome
from gameshelf.gateway.runtime.outbox.store import RecordKey
from gameshelf.gateway.runtime.tables import NOBODY

KEY = RecordKey(NOBODY, 7)


@pytest.fixture
def held(clock):
    return HeldPartitions(clock)


def test_each_partition_that_fails_waits_longer_each_time_until_it_works(held, clock):
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
        held.settle(1, ConnectionError(), ["a", "b"])
        assert (held.start_round(), sorted(held.keys), held.failing) == ({1}, ["a", "b"], [1])
        clock.now += pause - 0.01
        assert held.start_round() == {1}
        clock.now += 0.02
        assert (held.start_round(), held.keys) == (set(), [])  # its records are looked at again
        assert 1 in held
    held.settle(1, None)
    assert not held
    held.settle(1, ConnectionError())
    clock.now += 0.21
    assert held.start_round() == set()


async def test_nothing_is_sent_to_a_partition_that_has_not_answered(held):
    answer = asyncio.get_running_loop().create_future()
    held.hold(2, asyncio.ensure_future(answer), ["a"])
    assert (held.start_round(), held.answered(), held.failing) == ({2}, {}, [])
    answer.set_result(SendOutcome(sent=[KEY]))
    await asyncio.wait(held.sending)
    assert held.answered()[2].sent == [KEY]
    held.settle(2, None)
    assert not held


async def test_what_is_given_up_is_cancelled(held):
    sending = asyncio.ensure_future(asyncio.Event().wait())
    held.hold(0, sending, [])
    held.clear()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not held


def test_the_keys_are_bounded(held):
    held.settle(0, ConnectionError(), map(str, range(MOST_KEYS - 5)))
    held.settle(1, ConnectionError(), map(str, range(20)))
    assert len(held.keys) == MOST_KEYS
    assert held.learn(1, ["one more"]) == 0
