"""Changes of batches take turns, so that a list of thousands of players leaves room for everybody else."""

import asyncio
from uuid import uuid4

import grpc.aio
import pytest
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from gameshelf.protos.library.v1.admin_saves_pb2 import SetQuotaRequest
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub

WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


@pytest.fixture
async def set_quota(measured, caller):
    """Asks what a change of a user's quota would do."""
    support = caller(uuid4(), "support")
    server = measured.gateway.grpc_server()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await server.start()}") as channel:
        stub = LibraryAdminServiceStub(channel)

        async def call(user, batch=""):
            options = ChangeOptions(batch_id=batch and str(batch), batch_item=batch and str(user))
            await stub.SetQuota(SetQuotaRequest(user_id=str(user), limit_bytes=1, change=options), metadata=support)

        yield call
    await server.stop(0)


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
