"""The store passes the suites of the ports on each server."""

import pytest
from gameshelf.savegames.testing import ObjectStoreSuite, SignedRequestSuite

UNSUPPORTED = "moto verifies neither the signature of a request nor its expiry"


@pytest.fixture(params=["s3", pytest.param("moto", marks=pytest.mark.long)])
async def subject(request, new_bucket):
    made = await new_bucket(request.getfixturevalue(request.param))
    if request.param == "moto":
        made.skips = dict.fromkeys(("signatures", "expiry"), UNSUPPORTED)
    return made


class TestObjects(ObjectStoreSuite):
    test_a_thousand_objects_are_deleted_at_once = pytest.mark.long(
        ObjectStoreSuite.test_a_thousand_objects_are_deleted_at_once
    )


class TestSignedRequests(SignedRequestSuite):
    pass
