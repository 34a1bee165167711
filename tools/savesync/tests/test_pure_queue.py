"""Work that waits for the network: one piece of each kind per slot."""

import pytest
from gameshelf.savesync.queue import OfflineQueue, QueuedKind


@pytest.fixture
def now():
    return [1_000_000.0]


@pytest.fixture
def queue(state, now):
    return OfflineQueue(state, lambda: now[0])


def test_work_survives_a_restart(queue, state):
    queue.put("main", QueuedKind.UPLOAD, {"files": 3}, "no route")
    [found] = OfflineQueue(state).all()
    assert (found.slot_name, found.kind, found.request, found.error) == (
        "main",
        QueuedKind.UPLOAD,
        {"files": 3},
        "no route",
    )


def test_later_work_of_a_slot_replaces_earlier_and_keeps_its_age(queue, now):
    queue.put("main", QueuedKind.UPLOAD, {"files": 3}, "no route")
    since = queue.all()[0].since
    now[0] += 86_400
    for count in range(10):
        queue.put("main", QueuedKind.UPLOAD, {"files": count}, "no route")
        queue.put("other", QueuedKind.UPLOAD, {"files": count}, "no route")
    assert [(one.slot_name, one.request["files"]) for one in queue.all()] == [("main", 9), ("other", 9)]
    assert queue.all()[0].since == since


def test_a_version_is_reported_before_the_upload_that_needs_it(queue):
    queue.put("main", QueuedKind.UPLOAD, {}, "")
    queue.put("main", QueuedKind.SYNCED, {"version": 2}, "")
    assert [one.kind for one in queue.all()] == [QueuedKind.SYNCED, QueuedKind.UPLOAD]


def test_work_that_is_done_is_gone(queue):
    queue.put("main", QueuedKind.UPLOAD, {}, "")
    queue.put("main", QueuedKind.SYNCED, {}, "")
    queue.drop("main", QueuedKind.UPLOAD)
    [left] = queue.all()
    queue.done(left)
    assert queue.all() == []
