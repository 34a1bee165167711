"""Changes of a batch: each is made once, and leaves room for everybody else."""

import asyncio
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from gameshelf.protos.library.v1.admin_audit_pb2 import UndoChangeRequest
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from gameshelf.protos.library.v1.admin_saves_pb2 import SetQuotaRequest
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub

WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


@pytest.fixture
async def stub(measured):
    server = measured.gateway.grpc_server()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await server.start()}") as channel:
        yield LibraryAdminServiceStub(channel)
    await server.stop(0)


@pytest.fixture
def set_quota(stub, caller):
    """Makes a change of a user's quota, or asks what it would do."""
    support = caller(uuid4(), "support")

    async def call(user, batch="", **options):
        change = ChangeOptions(batch_id=batch and str(batch), batch_item=batch and str(user), **options)
        request = SetQuotaRequest(user_id=str(user), limit_bytes=1, change=change)
        return (await stub.SetQuota(request, metadata=support)).result

    return call


async def test_changes_of_batches_wait_for_each_other_and_nobody_waits_for_them(set_quota, connection):
    stuck, batches = uuid4(), [uuid4(), uuid4()]
    turn = connection.transaction()
    await turn.start()
    await connection.execute("INSERT INTO gateway.user_streams (user_id) VALUES ($1)", stuck)
    first = asyncio.create_task(set_quota(stuck, batches[0]))
    while not await connection.fetchval(WAITS):
        await asyncio.sleep(0.01)
    gone, *others = [asyncio.create_task(set_quota(uuid4(), batch)) for batch in (*batches, *batches)]
    for _ in range(5):
        await set_quota(uuid4())
    assert not any(one.done() for one in (first, gone, *others))
    gone.cancel()  # who has gone keeps no turn
    await turn.rollback()
    await asyncio.gather(first, *others)


async def test_a_change_that_was_undone_is_not_said_to_be_made(set_quota, stub, caller):
    user, batch = uuid4(), uuid4()
    revision = (await set_quota(user, batch)).revision
    applied = {"apply": True, "revision": revision, "reason": "a promotion"}
    made = await set_quota(user, batch, **applied)
    assert await set_quota(user, batch, **applied) == made
    undo = UndoChangeRequest(audit_id=made.audit_id, change=ChangeOptions(batch_id=str(batch)))
    support = caller(uuid4(), "support")
    seen = (await stub.UndoChange(undo, metadata=support)).result
    undo.change.MergeFrom(ChangeOptions(apply=True, revision=seen.revision, reason="the wrong list"))
    assert (await stub.UndoChange(undo, metadata=support)).result.applied
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await set_quota(user, batch, **applied)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "undone_since" in str(refused.value.trailing_metadata())
