"""The store passes the suites of the ports on each server."""

import pytest
from gameshelf.savegames.s3 import SignedHash
from gameshelf.savegames.testing import MultipartSuite, ObjectStoreSuite, SignedRequestSuite, SmallObjectSuite

UNSUPPORTED = {
    **dict.fromkeys(("signatures", "expiry", "checksums"), "moto verifies no signature, nor what it covers"),
    "multiparts": "moto fails on an upload that ended, and lists open ones without order and pages",
}
MIB = 1024**2


@pytest.fixture(params=["s3", *(pytest.param(name, marks=pytest.mark.long) for name in ("moto", "versity"))])
async def subject(request, new_bucket):
    signed_hash = SignedHash.PAYLOAD if request.param == "s3" else SignedHash.CHECKSUM
    changed = {"max_copy_bytes": 16 * MIB, "copy_part_bytes": 8 * MIB, "signed_hash": signed_hash}
    made = await new_bucket(request.getfixturevalue(request.param), **changed)
    if request.param == "moto":
        made.skips = UNSUPPORTED
    return made


class TestObjects(ObjectStoreSuite):
    test_a_thousand_objects_are_deleted_at_once = pytest.mark.long(
        ObjectStoreSuite.test_a_thousand_objects_are_deleted_at_once
    )


class TestSmallObjects(SmallObjectSuite):
    pass


class TestSignedRequests(SignedRequestSuite):
    pass


class TestMultiparts(MultipartSuite):
    pass
