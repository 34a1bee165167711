"""gRPC with TLS: role ``service`` needs a token and a certificate, and both must allow."""

from uuid import uuid4

import grpc
import grpc.aio
import pytest
from cryptography import x509
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_status import rpc_status


@pytest.fixture(scope="module")
def service(platform, make_certificate):
    own = make_certificate("library.test")
    made = platform.service(
        LIBRARY_SERVICE_ROLES="api",
        GRPC_TLS_REQUIRED="true",
        GRPC_TLS_CERT_FILE=str(own.certificate),
        GRPC_TLS_KEY_FILE=str(own.key),
        GRPC_TLS_CLIENT_CA_FILE=str(own.ca),
        GRPC_SERVICE_IDENTITIES="download.test, payment.test",
        GRPC_REFLECTION="false",
    )
    made.start()
    return made


@pytest.fixture
def call(platform, service, make_certificate):
    """Asks with a certificate of this name and a token of these roles; the answer, or how it was refused."""

    async def ask(name, *roles, user_id=None, token_of=None, **certificate):
        credentials = channel_credentials(make_certificate, name, **certificate)
        async with grpc.aio.secure_channel(service.grpc, credentials) as channel:
            metadata = (("authorization", f"Bearer {platform.token(token_of or uuid4(), *roles)}"),)
            request = messages.GetLibraryItemsRequest(user_id=str(user_id or uuid4()))
            try:
                return await LibraryQueryServiceStub(channel).GetLibraryItems(
                    request, metadata=metadata, timeout=PATIENCE_SECONDS
                )
            except grpc.aio.AioRpcError as error:
                return error

    return ask


def channel_credentials(make_certificate, name, **certificate):
    if name is None:
        return grpc.ssl_channel_credentials(make_certificate("library.test").ca.read_bytes())
    own = make_certificate(name, **certificate)
    return grpc.ssl_channel_credentials(
        own.ca.read_bytes(), private_key=own.key.read_bytes(), certificate_chain=own.certificate.read_bytes()
    )


async def test_a_service_with_a_listed_name_is_served(call):
    for name in ("download.test", "payment.test"):
        assert isinstance(await call(name, "service"), messages.GetLibraryItemsResponse)


async def test_a_service_with_another_name_is_denied_whatever_its_token_says(call):
    for roles in (["service"], ["service", "user"], ["service", "admin"]):
        error = await call("stranger.test", *roles)
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED
        info = ErrorInfo()
        rpc_status.from_call(error).details[0].Unpack(info)
        assert (info.reason, info.domain) == ("PERMISSION_DENIED", "library.platform")


LISTED = "download.test"


@pytest.mark.parametrize(
    ("common_name", "alternatives", "is_served"),
    [
        ("stranger.test", [x509.DNSName(LISTED)], True),
        ("stranger.test", [x509.DNSName("other.test"), x509.DNSName(LISTED)], True),
        (LISTED, [], True),
        (LISTED, [x509.DNSName("stranger.test")], False),
        (LISTED, [x509.RFC822Name("download@stranger.test")], False),
        ("stranger.test", [x509.RFC822Name(LISTED)], False),
        ("stranger.test", [], False),
    ],
)
async def test_a_certificates_common_name_counts_only_without_dns_names(call, common_name, alternatives, is_served):
    answer = await call(str(uuid4()), "service", common_name=common_name, alternatives=alternatives)
    assert isinstance(answer, messages.GetLibraryItemsResponse) is is_served
    assert is_served or answer.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_a_uri_is_a_name_too(platform, make_certificate):
    name = "spiffe://platform.test/download"
    own = make_certificate("library.test")
    made = platform.service(
        LIBRARY_SERVICE_ROLES="api",
        GRPC_TLS_REQUIRED="true",
        GRPC_TLS_CERT_FILE=str(own.certificate),
        GRPC_TLS_KEY_FILE=str(own.key),
        GRPC_TLS_CLIENT_CA_FILE=str(own.ca),
        GRPC_SERVICE_IDENTITIES=name,
    )
    made.start()
    credentials = channel_credentials(
        make_certificate, "uri", common_name="x", alternatives=[x509.UniformResourceIdentifier(name)]
    )
    async with grpc.aio.secure_channel(made.grpc, credentials) as channel:
        metadata = (("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),)
        request = messages.GetLibraryItemsRequest(user_id=str(uuid4()))
        assert (
            await LibraryQueryServiceStub(channel).GetLibraryItems(request, metadata=metadata, timeout=PATIENCE_SECONDS)
            is not None
        )
    made.stop()


async def test_a_certificate_does_not_extend_a_players_rights(call):
    player = uuid4()
    own = await call("download.test", "user", user_id=player, token_of=player)
    assert isinstance(own, messages.GetLibraryItemsResponse)
    foreign = await call("download.test", "user")
    assert foreign.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_without_a_certificate_or_without_tls_there_is_no_connection(platform, service, call):
    assert (await call(None, "service")).code() == grpc.StatusCode.UNAVAILABLE
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await LibraryQueryServiceStub(channel).GetLibraryItems(
                messages.GetLibraryItemsRequest(), timeout=PATIENCE_SECONDS
            )
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_reflection_can_be_switched_off_and_health_stays(service, make_certificate):
    credentials = channel_credentials(make_certificate, "stranger.test")
    async with grpc.aio.secure_channel(service.grpc, credentials) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        # Nothing is sent: a call that is refused while it sends may end with an error of the client's own.
        with pytest.raises(grpc.aio.AioRpcError) as error:
            async for _ in reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter(())):
                pass
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
