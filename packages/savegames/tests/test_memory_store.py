"""The store in memory keeps the promises of the ports, as S3 does in tests/s3."""

import pytest
from gameshelf.savegames._ports import StoredPart, StoreUnavailable
from gameshelf.savegames.testing import (
    MemoryStore,
    MemorySubject,
    MultipartSuite,
    ObjectStoreSuite,
    SignedRequestSuite,
    SmallObjectSuite,
)


@pytest.fixture
def subject():
    return MemorySubject()


class TestObjects(ObjectStoreSuite):
    pass


class TestSmallObjects(SmallObjectSuite):
    pass


class TestSignedRequests(SignedRequestSuite):
    pass


class TestMultiparts(MultipartSuite):
    pass


async def test_an_unavailable_store_raises_an_error():
    store = MemoryStore()
    store.upload("a", b"")
    store.away = True
    calls = (
        store.copy("a", "b", {}),
        store.digest("a", 0),
        store.delete(["a"]),
        store.list(""),
        store.put("a", b"1", {}),
        store.read("a", 1),
        store.begin_parts("a"),
        store.parts("a", "1"),
        store.complete_parts("a", "1", [StoredPart(1, 1, "")]),
        store.abort_parts("a", "1"),
        store.open_parts(""),
    )
    for call in calls:
        with pytest.raises(StoreUnavailable):
            await call
    assert store.keys == ["a"]
