"""Stores of waiting work: both behave alike, and a file outlives its process."""

from dataclasses import replace

import pytest
from gameshelf.client import FileQueueStore, MemoryQueueStore, QueueEntry


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryQueueStore() if request.param == "memory" else FileQueueStore(tmp_path / "new" / "queue.db")


def entry(name, **attributes):
    return QueueEntry(name, "session", attributes)


def test_entries_are_in_their_order_and_replaced_in_place(store):
    for name in "abc":
        store.put(entry(name, text="Дракон"))
    changed = replace(entry("a"), code="PERMISSION_DENIED")
    store.put(changed)
    assert store.load() == [changed, entry("b", text="Дракон"), entry("c", text="Дракон")]


def test_what_is_removed_is_gone_and_what_is_not_there_is_no_error(store):
    for name in "ab":
        store.put(entry(name))
    store.remove(["a", "x"])
    store.remove([])
    assert store.load() == [entry("b")]


def test_another_process_sees_what_was_put(tmp_path):
    FileQueueStore(tmp_path / "queue.db").put(entry("a"))
    other = FileQueueStore(str(tmp_path / "queue.db"))
    assert other.load() == [entry("a")]
    other.remove(["a"])
    assert FileQueueStore(tmp_path / "queue.db").load() == []
