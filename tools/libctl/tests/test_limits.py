"""The limit of requests is waited for: long work takes more calls than a minute allows.

The service's own limit counts whole minutes, so a server of this test's refuses in its place.
"""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from gameshelf.libctl.client import Client
from gameshelf.libctl.errors import Unavailable
from gameshelf.libctl.profiles import Profile
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import (
    LibraryAdminServiceServicer,
    add_LibraryAdminServiceServicer_to_server,
)
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status


class Limited(LibraryAdminServiceServicer):
    """Refuses some calls as the service does, and answers the next one."""

    def __init__(self):
        self.left = 0

    def ShowQuota(self, request, context):
        if self.left == 0:
            return messages.ShowQuotaResponse(used_bytes=7)
        self.left -= 1
        packed = Any()
        packed.Pack(ErrorInfo(reason="RATE_LIMIT_EXCEEDED", domain="library.platform", metadata={"retry_after": "0"}))
        status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="too many", details=[packed])
        return context.abort_with_status(rpc_status.to_status(status))


@pytest.fixture
def limited():
    servicer = Limited()
    server = grpc.server(ThreadPoolExecutor(1))
    add_LibraryAdminServiceServicer_to_server(servicer, server)
    servicer.client = Client(Profile(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", False, "token"))
    server.start()
    yield servicer
    server.stop(0)


def test_a_call_waits_until_it_may_continue(limited, capsys):
    limited.left = 2
    assert limited.client.call("ShowQuota", messages.ShowQuotaRequest()).used_bytes == 7
    assert capsys.readouterr().err.count("retrying in") == 2


def test_but_not_for_ever(limited):
    limited.left = 1000
    with pytest.raises(Unavailable):
        limited.client.call("ShowQuota", messages.ShowQuotaRequest())
    assert limited.left > 900
