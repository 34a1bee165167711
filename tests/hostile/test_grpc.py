"""A fuzzer over reflection: every method of every service, with messages that are invalid in every known way.

No answer to any message of any caller is ``UNKNOWN`` or ``INTERNAL``, and a refusal by the service gives its reason in
an ``ErrorInfo``.
"""

import asyncio
import random
import socket
from collections import Counter
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, sized, some
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

ROLES = ("user", "service", "support", "admin")
BAD_TEXTS = ("", "\0", "\u202e", "a" * 70_000, "e\u0301" * 500, "-1", "%s%n", "'; --", "../..", "{}", "[" * 5_000)
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**32 - 1, 2**64 - 1)
OURS = "/library.v1."
SIDE_BY_SIDE = 8
CLIENTS_OWN = "Internal error from Core"
"""grpc.aio's client reports this error when a stream is ended while it still sends; the metrics have the true code."""


@pytest.fixture
async def channel(target):
    async with grpc.aio.insecure_channel(target.grpc) as opened:
        yield opened


async def methods_of(channel):
    """Name, input type and whether it takes a stream, of every method that reflection lists."""
    stub, pool = reflection_pb2_grpc.ServerReflectionStub(channel), descriptor_pool.DescriptorPool()

    async def ask(**asked):
        [answer] = [
            one async for one in stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**asked)]))
        ]
        return answer

    files = {}

    async def load(**asked):
        for raw in (await ask(**asked)).file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(raw)
            if file.name not in files:
                files[file.name] = file
                for name in file.dependency:
                    await load(file_by_filename=name)
                pool.Add(file)

    services = [one.name for one in (await ask(list_services="")).list_services_response.service]
    for name in services:
        await load(file_containing_symbol=name)
    return [
        (f"/{name}/{method.name}", method.input_type, method.client_streaming)
        for name in services
        for method in pool.FindServiceByName(name).methods
    ]


def varint(number):
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def well_formed(descriptor, rng, user_id, depth=0):
    """A message of the right form with odd values."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if rng.random() < 0.2 or (field.message_type is not None and depth > 2):
            continue
        values = [
            value_of(field, rng, user_id, depth) for _ in range(rng.choice((1, 1, 3)) if field.is_repeated else 1)
        ]
        try:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            if field.message_type is not None and not field.is_repeated:
                getattr(message, field.name).CopyFrom(values[0])
            elif field.is_repeated:
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, values[0])
        except (ValueError, OverflowError, TypeError):
            continue  # a number that this kind of field can't hold
    return message


def value_of(field, rng, user_id, depth):
    if field.message_type is not None:
        return well_formed(field.message_type, rng, user_id, depth + 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        ids = (user_id if field.name == "user_id" else str(uuid4()),) * 8
        return rng.choice((*ids, *BAD_TEXTS) if field.name.endswith(("_id", "_ids")) else BAD_TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.randbytes(rng.choice((0, 5, 500)))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e300))
    return rng.choice(NUMBERS)


def messages_for(descriptor, rng, user_id):
    """Yields messages for a method: none at all, broken ones, wrong ones, and right ones with odd values."""
    yield from (b"", b"\xff", b"\0" * 50, b"\x0b" * 300, b"\x0a\xff\xff\xff\xff\x0f", b"\x08" + b"\xff" * 12)
    yield b"\x0a\x00" * 600_000  # small in bytes, large in memory
    yield from (rng.randbytes(size) for size in (1, 7, 60, 2_000))
    for field in descriptor.fields:
        for wire_type in range(6):
            yield varint(field.number << 3 | wire_type) + b"\x02\xff\xfe"  # of another type, and no UTF-8
    for _ in range(sized(1, 12)):
        sent = bytearray(well_formed(descriptor, rng, user_id).SerializeToString())
        yield bytes(sent)
        if sent:
            yield bytes(sent[: rng.randrange(len(sent))])
            for _ in range(rng.choice((1, 4))):
                sent[rng.randrange(len(sent))] ^= 1 << rng.randrange(8)
            yield bytes(sent)


async def outcome(channel, method, is_stream, sent, metadata):
    """The code that a call ended with; whether an ErrorInfo says why, if it was refused."""
    try:
        call = channel.stream_stream(method) if is_stream else channel.unary_stream(method)
        async for _ in call(iter([sent, sent]) if is_stream else sent, metadata=metadata, timeout=PATIENCE_SECONDS):
            if method.endswith("/Watch"):
                return "OK", True
    except grpc.aio.AioRpcError as error:
        if is_stream and error.details() == CLIENTS_OWN:
            return "CANCELLED", True
        status, info = rpc_status.from_call(error), ErrorInfo()
        has_reason = bool(
            status and status.details and status.details[0].Unpack(info) and info.domain == "library.platform"
        )
        return error.code().name, has_reason
    return "OK", True


async def test_no_message_to_any_method_is_a_failure_of_the_service(channel, hostile_platform):
    user_id = str(uuid4())
    tokens = {roles: hostile_platform.token(user_id, *roles) for roles in (*((role,) for role in ROLES), ROLES)}
    bearers = {roles: (("authorization", f"Bearer {token}"),) for roles, token in tokens.items()}
    strangers = [(), (("authorization", "Bearer " + "x" * 500),), bearers[ROLES] * 2]
    methods = await methods_of(channel)
    assert len(methods) > 50
    codes, wrong, places = Counter(), [], asyncio.Semaphore(SIDE_BY_SIDE)

    async def send(method, is_stream, sent, metadata):
        async with places:
            code, has_reason = await outcome(channel, method, is_stream, sent, metadata)
        codes[code] += 1
        if code in ("UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED") or (method.startswith(OURS) and not has_reason):
            wrong.append((method, code, sent[:80]))

    async with asyncio.TaskGroup() as tasks:
        for turn, (method, descriptor, is_stream) in enumerate(methods):
            rng = random.Random(method)
            sent = some(messages_for(descriptor, rng, user_id), turn)
            for one in sent:
                tasks.create_task(send(method, is_stream, one, bearers[ROLES]))
            for metadata in (*bearers.values(), *strangers):
                for one in rng.sample(sent, 3):
                    tasks.create_task(send(method, is_stream, one, metadata))
    assert not wrong, (len(wrong), wrong[:10])
    assert codes["INVALID_ARGUMENT"] > sized(200, 1_000)
    assert codes["UNAUTHENTICATED"] > 100


async def test_refused_messages_of_the_largest_size_are_not_kept(channel, hostile_platform):
    """The watch measures: 64 of them kept would be four times as much memory as it allows."""
    metadata = (("authorization", f"Bearer {hostile_platform.token(uuid4())}"),)
    largest = b"\xff" * (4 * 2**20 - 1_000)
    for _ in range(64):
        code, _ = await outcome(channel, "/library.v1.WishlistService/AddToWishlist", False, largest, metadata)
        assert code == "RESOURCE_EXHAUSTED"


async def test_metadata_of_every_kind_is_answered(channel, hostile_platform):
    method = "/library.v1.LibraryQueryService/GetLibraryItems"
    token = hostile_platform.token(uuid4(), "service")
    for metadata in (
        (("authorization", token),),
        (("authorization", "Bearer"),),
        (("authorization", f"Bearer {token} "),),
        (("authorization", "Bearer " + "a." * 3_000),),
        (("authorization-bin", b"\xff\0"),),
        (("traceparent", "00-" + "0" * 5_000), ("authorization", f"Bearer {token}")),
        (("traceparent", "x"), ("traceparent", "y"), ("authorization", f"Bearer {token}")),
        tuple((f"x-{number}", "y" * 50) for number in range(60)),
    ):
        code, has_reason = await outcome(channel, method, False, b"\x0a\x01x", metadata)
        assert code in ("UNAUTHENTICATED", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
        assert has_reason or code == "RESOURCE_EXHAUSTED"


def test_what_is_no_grpc_at_all_ends_its_own_connection_alone(target):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    rng = random.Random(7)
    for sent in (
        b"",
        b"\0" * 10_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01" + rng.randbytes(500),
        preface,
        preface + rng.randbytes(5_000),
        preface + b"\xff\xff\xff\x00\x00\x00\x00\x00\x00" + b"a" * 5_000,
        preface + b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08" * 500,
    ):
        with socket.create_connection(("127.0.0.1", target.grpc_port), timeout=PATIENCE_SECONDS) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass
            except OSError:
                continue  # ended by the other side, as it may
