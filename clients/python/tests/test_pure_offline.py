"""The offline queue and a disk that is slow."""

import asyncio
from threading import Event

import pytest
from gameshelf.client import MemoryQueueStore, PlayQueue, QueueEntry


class SlowStore(MemoryQueueStore):
    """Its first write takes until a test allows it."""

    def __init__(self):
        super().__init__()
        self.begun, self.allowed = Event(), Event()

    def put(self, entry):
        if not self.begun.is_set():
            self.begun.set()
            assert self.allowed.wait(10)
        super().put(entry)


async def test_a_write_that_is_cancelled_comes_before_the_next_one():
    """A game ends while its last heartbeat is written: the end has to stay."""
    store = SlowStore()
    queue = PlayQueue(None, None, store)
    heartbeat = asyncio.create_task(queue.put(QueueEntry("a", "open_session", {})))
    await asyncio.to_thread(store.begun.wait, 10)
    heartbeat.cancel()
    asyncio.get_running_loop().call_later(0.05, store.allowed.set)
    with pytest.raises(asyncio.CancelledError):
        await heartbeat
    end = QueueEntry("a", "session", {})
    await queue.put(end)
    await asyncio.sleep(0.05)
    assert await queue.entries() == [end]
