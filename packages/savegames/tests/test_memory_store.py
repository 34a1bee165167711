"""The store in memory keeps the promises of the ports, as S3 does in tests/s3."""

import pytest
from gameshelf.savegames._ports import StoreUnavailable
from gameshelf.savegames.testing import MemoryStore, MemorySubject, ObjectStoreSuite, SignedRequestSuite


@pytest.fixture
def subject():
    return MemorySubject()


class TestObjects(ObjectStoreSuite):
    pass


class TestSignedRequests(SignedRequestSuite):
    pass


async def test_an_unavailable_store_raises_an_error():
    store = MemoryStore()
    store.put("a", b"")
    store.away = True
    for call in (store.copy("a", "b", {}), store.digest("a", 0), store.delete(["a"]), store.list("")):
        with pytest.raises(StoreUnavailable):
            await call
    assert store.keys == ["a"]
