"""Every time in a request of REST or gRPC lies in 1970 to 2199, else the field is refused; and what an earlier release
has stored beyond can be ended.
"""

import importlib
import json
import pkgutil
from datetime import UTC, date, datetime
from typing import Literal, get_args, get_origin
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.gateway.runtime.grpc.calls import parse_time
from gameshelf.gateway.runtime.http.parse import parse_query
from gameshelf.gateway.wiring import ROUTES
from gameshelf.kernel.errors import InvalidInput
from gameshelf.protos.library import v1  # pants: no-infer-dep
from gameshelf.protos.library.v1.admin_family_pb2 import RevokeFamilyLinkRequest
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import AwareDatetime, BaseModel, ValidationError

BEYOND = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "1970-01-01T02:00:00+03:00",
    "2200-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-14:00",
)
SECONDS = (-62_135_596_800, -1, 7_258_118_400, 253_402_300_799, 2**62)
GOOD = 1_779_278_400
LAST, FIRST = "2199-12-31T23:59:59Z", "1970-01-01T00:00:00Z"


def kinds_of(annotation):
    """The types of an annotation, those in unions and in containers of any kind too."""
    if get_origin(annotation) in (None, Literal):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in kinds_of(part)]


def times_of(model):
    """All times and days of a model and of those inside it: the model that has it, and its name."""
    for name, field in model.model_fields.items():
        for kind in kinds_of(field.annotation):
            if kind in (datetime, AwareDatetime, date):
                yield model, name
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from times_of(kind)


def walk(models):
    return sorted({found for model in models if model for found in times_of(model)}, key=repr)


BODIES, QUERIES = walk(route.body for route in ROUTES), walk(route.query for route in ROUTES)


def refused(parse):
    """The places that are refused."""
    try:
        parse()
    except InvalidInput as error:
        return {problem.pointer or problem.parameter for problem in error.problems}
    return set()


def test_the_walk_finds_the_times():
    assert {(model.__name__, name) for model, name in BODIES} >= {
        ("NewLink", "expires_at"),
        ("NewUpload", "client_modified_at"),
        ("OfflineSession", "start_time"),
    }
    assert {name for _, name in QUERIES} == {"since", "until"}


@pytest.mark.parametrize(("model", "name"), BODIES)
def test_a_time_in_a_body_lies_in_1970_to_2199(model, name):
    def is_refused(value):
        with pytest.raises(ValidationError) as error:
            model.model_validate_json(json.dumps({name: value, "an unknown field": 1}), strict=True)
        return (name,) in {entry["loc"] for entry in error.value.errors()}

    for beyond in BEYOND:
        assert is_refused(beyond), beyond
    for good in (FIRST, LAST, "2200-01-01T02:00:00+03:00"):
        assert not is_refused(good)


@pytest.mark.parametrize(("model", "name"), QUERIES)
def test_a_time_in_a_query_lies_in_1970_to_2199(model, name):
    is_day = date in kinds_of(model.model_fields[name].annotation)

    def answer(text):
        return refused(lambda: parse_query(model, f"{name}={text[:10] if is_day else text}".encode()))

    for beyond in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert answer(beyond) == {name}
    for good in (FIRST, LAST):
        assert not answer(good)


def test_no_time_of_a_message_is_beyond_all_times():
    assert parse_time(Timestamp(seconds=7_258_118_399), "at") == datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse_time(Timestamp(), "at") == datetime(1970, 1, 1, tzinfo=UTC)
    for seconds in SECONDS:
        assert refused(lambda seconds=seconds: parse_time(Timestamp(seconds=seconds), "at")) == {"at"}


def methods():
    """Every method of our services with each time of its request: the way to it."""
    for found in pkgutil.iter_modules(v1.__path__):
        if found.name.endswith("_pb2"):
            module = importlib.import_module(f"{v1.__name__}.{found.name}")
            for service in module.DESCRIPTOR.services_by_name.values():
                yield from ((method, path) for method in service.methods for path in sent_times(method.input_type))


def sent_times(descriptor, path=()):
    for field in descriptor.fields:
        if field.message_type is not None and field.message_type not in (descriptor, *(one for one, _ in path)):
            here = (*path, (descriptor, field))
            if field.message_type.full_name == "google.protobuf.Timestamp":
                yield tuple(field for _, field in here)
            else:
                yield from sent_times(field.message_type, here)


METHODS = list(methods())


def filled(message, user_id):
    """The message with a valid value in each required field."""
    for field in message.DESCRIPTOR.fields:
        if field.name == "unlocked":
            message.unlocked = True
        elif field.name == "product_id" and "achievement_id" in message.DESCRIPTOR.fields_by_name:
            continue  # the other way to name it
        elif field.type == field.TYPE_STRING and not field.is_repeated:
            ids = str(user_id if field.name == "user_id" else uuid4()) if field.name.endswith("_id") else ""
            setattr(
                message, field.name, ids or {"save_slot_name": "slot", "file_hash_sha256": "0" * 64}.get(field.name, "")
            )
    return message


def test_the_walk_finds_the_times_of_messages():
    found = {(method.name, ".".join(field.name for field in path)) for method, path in METHODS}
    assert found >= {
        ("RequestSaveGameUploadURL", "client_modified_at"),
        ("ShowPlaytime", "since"),
        ("ListDeadLetters", "filter.until"),
        ("ListGameSettings", "since"),
    }


@pytest.mark.parametrize(("method", "path"), METHODS, ids=lambda value: getattr(value, "name", None))
async def test_a_time_in_a_message_lies_in_1970_to_2199(service, caller, method, path):
    user_id = uuid4()
    role = "admin" if method.containing_service.name == "LibraryAdminService" else "user"

    def request_with(seconds):
        request = inside = filled(GetMessageClass(method.input_type)(), user_id)
        for field in path[:-1]:
            part = getattr(inside, field.name)
            inside = filled(part.add() if field.is_repeated else part, user_id)
        getattr(inside, path[-1].name).seconds = seconds
        return request

    async with grpc.aio.insecure_channel(service.grpc) as channel:
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        metadata = caller(user_id, role)
        if any(field.is_repeated for field in path) and method.name.startswith("Import"):  # each element by itself
            for seconds in SECONDS:
                [result] = (await call(request_with(seconds), metadata=metadata)).results
                assert result.code == "VALIDATION_ERROR"
            [result] = (await call(request_with(GOOD), metadata=metadata)).results
            assert result.code != "VALIDATION_ERROR"
            return
        for seconds in SECONDS:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call(request_with(seconds), metadata=metadata)
            assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            place = ".".join(f"{field.name}.0" if field.is_repeated else field.name for field in path)
            assert f"{place}: datetime_out_of_range" in error.value.details()


@pytest.mark.parametrize("by", ["the owner", "support"])
@pytest.mark.parametrize("end", ["infinity", "9999-12-31T23:59:59.999999Z", "20000-01-01Z"])
async def test_a_link_that_an_earlier_release_let_last_for_ever_can_be_ended(
    platform, service, caller, new_player, end, by
):
    owner, member = new_player(), new_player()
    made = await owner.post("/family/links", {"shared_with_user_id": str(member.id)})
    path = f"/family/links/{made.json()['data']['id']}"
    connection = await asyncpg.connect(platform.dsn)
    for table in ("family_sharing_links", "family_memberships"):
        await connection.execute(
            f"UPDATE library.{table} SET expires_at = $2::text::timestamptz WHERE owner_user_id = $1", owner.id, end
        )
    await connection.close()
    answer = await member.post(f"{path}/accept")
    assert answer.status_code == 200, answer.text
    if by == "the owner":
        answer = await owner.post(f"{path}/revoke")
        assert answer.status_code == 200, answer.text
    else:
        request = RevokeFamilyLinkRequest(user_id=str(owner.id), link_id=made.json()["data"]["id"])
        async with grpc.aio.insecure_channel(service.grpc) as channel:
            revoke, metadata = LibraryAdminServiceStub(channel).RevokeFamilyLink, caller(uuid4(), "admin")
            request.change.revision = (await revoke(request, metadata=metadata)).result.revision
            request.change.apply, request.change.reason = True, "ticket 4711"
            await revoke(request, metadata=metadata)
        [link] = (await owner.get("/family/links"))["data"]
        assert link["attributes"]["status"] == "revoked_by_admin"
    again = await owner.post(
        "/family/links", {"shared_with_user_id": str(member.id), "expires_at": "9999-12-31T00:00:00Z"}
    )
    assert again.json()["errors"][0]["source"] == {"pointer": "/data/attributes/expires_at"}
    assert len(again.json()["errors"]) == 1
