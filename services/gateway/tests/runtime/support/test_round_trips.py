"""A change of support costs what the table in ``docs/architecture.md`` says: a batch makes thousands of them."""

from uuid import uuid4

import grpc.aio
import pytest
from gameshelf.protos.library.v1 import admin_audit_pb2, admin_saves_pb2
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub

CHANGE, DRY_RUN = "a change of support, such as `libctl quota set`", "a dry run of it"
FIRST_OF_A_USER, IN_A_BATCH, UNDO = 2, 1, 1
"""How many round trips more these take."""


@pytest.fixture
async def stub(measured):
    server = measured.gateway.grpc_server()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await server.start()}") as channel:
        yield LibraryAdminServiceStub(channel)
    await server.stop(0)


async def test_a_change_of_support(measured, documented, stub, caller):
    user, support = uuid4(), caller(uuid4(), "support")

    async def cost(call, request, **batch):
        """Makes a change; returns its result, and the round trips of the dry run and of the change."""
        request.change.CopyFrom(ChangeOptions(**batch))
        seen, dry_run = await measured.count(call(request, metadata=support))
        how = {"apply": True, "reason": "a promotion", "revision": seen.result.revision}
        request.change.MergeFrom(ChangeOptions(**how))
        done, change = await measured.count(call(request, metadata=support))
        assert done.result.applied
        return done.result, dry_run, change

    def quota(limit):
        return admin_saves_pb2.SetQuotaRequest(user_id=str(user), limit_bytes=limit)

    usual = documented[DRY_RUN], documented[CHANGE]
    _, *first = await cost(stub.SetQuota, quota(1))
    assert first == [one + FIRST_OF_A_USER for one in usual]
    done, *again = await cost(stub.SetQuota, quota(2))
    assert again == list(usual)
    _, *undone = await cost(stub.UndoChange, admin_audit_pb2.UndoChangeRequest(audit_id=done.audit_id))
    assert undone == [one + UNDO for one in usual]
    _, *of_batch = await cost(stub.SetQuota, quota(3), batch_id=str(uuid4()), batch_item=str(user))
    assert of_batch == [usual[0], usual[1] + IN_A_BATCH]
