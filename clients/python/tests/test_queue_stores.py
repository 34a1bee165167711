"""Stores of waiting work: both behave alike, and a file outlives its process."""

import sqlite3
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


def test_the_user_of_an_entry_is_kept(store):
    kept = replace(entry("a"), user="anna")
    store.put(kept)
    assert store.load() == [kept]


class TestDamage:
    """mapbox/mapbox-gl-native#12991: a damaged file, and the program never starts again."""

    @pytest.mark.parametrize("work", [lambda store: store.load(), lambda store: store.put(entry("b"))])
    def test_a_file_that_is_something_else_is_put_aside(self, tmp_path, work):
        (tmp_path / "queue.db").write_bytes(b"not a database" * 100)
        (tmp_path / "queue.db-journal").write_bytes(b"")
        store = FileQueueStore(tmp_path / "queue.db")
        work(store)
        store.put(entry("a"))
        assert entry("a") in FileQueueStore(tmp_path / "queue.db").load()
        assert (tmp_path / "queue.db.damaged").read_bytes() == b"not a database" * 100

    def test_a_file_with_damaged_pages_is_put_aside(self, tmp_path):
        file = tmp_path / "queue.db"
        store = FileQueueStore(file)
        for number in range(100):
            store.put(entry(f"a{number}", text="x" * 500))
        content = file.read_bytes()
        file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        assert store.load() == []
        store.put(entry("a"))
        assert store.load() == [entry("a")]
        assert (tmp_path / "queue.db.damaged").stat().st_size == len(content)

    def test_a_file_that_cannot_be_written_stays_where_it_is(self, tmp_path):
        store = FileQueueStore(tmp_path / "queue.db")
        store.put(entry("a"))
        blocker = sqlite3.connect(tmp_path / "queue.db")
        blocker.execute("ALTER TABLE entries RENAME TO others")
        blocker.execute("CREATE VIEW entries AS SELECT * FROM others")
        blocker.commit()
        blocker.close()
        with pytest.raises(sqlite3.OperationalError):
            store.put(entry("b"))
        assert [one.name for one in tmp_path.iterdir()] == ["queue.db"]
