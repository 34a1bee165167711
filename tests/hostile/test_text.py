"""Every text that comes in, by whatever way, as a letter with fifty thousand combining marks.

Python brings a run of marks into canonical order by insertion: unbounded, one such text holds the process for
seconds. The contract allows 50 ms before a refusal (details, section 3). What the whole process takes meanwhile is
measured here, with the valid requests of the watch and the jobs, so six times as much is left; that parsing alone is
within the bound, whatever a body is made of, is asserted in `services/gateway/tests/runtime/http/test_costs.py`.
"""

import importlib
import json
import pkgutil
from uuid import uuid4

import grpc
import grpc.aio
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.cpu_floor import cpu_floor
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, sized, some
from gameshelf.gateway.runtime.kafka.incoming import Incoming
from gameshelf.gateway.wiring import CONSUMED
from gameshelf.protos.library import v1 as protos
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor

MARKS = "a" + "\u0301\u0316" * 25_000
MOST_FLOORS = 200
"""Of processor time for a request; the floor is some 4 ms on an idle core of today."""
MAX_ANSWER_BYTES = 32_000
ALL_ROLES = ("user", "service", "support", "admin")


@pytest.fixture
def cheap(cpu_seconds):
    """Asserts of each request that it cost the service little."""

    class Cheap:
        def __enter__(self):
            self.before = cpu_seconds()

        def __exit__(self, *failure):
            if failure[0] is None:
                taken = cpu_seconds() - self.before
                # Most requests take less than it takes to measure the floor.
                assert taken < 0.05 or taken < MOST_FLOORS * cpu_floor()

    return Cheap


def paths_of(schema, root, path=()):
    """The way to every string in a JSON Schema: names, and 0 for an element of a list."""
    while "$ref" in schema:
        schema = resolved(root, schema["$ref"])
    for kind in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(kind, ()):
            yield from paths_of(part, root, path)
    if schema.get("type") == "string" or (schema.get("type") == "object" and "properties" not in schema):
        yield path
    for name, part in schema.get("properties", {}).items():
        if len(path) < 8:
            yield from paths_of(part, root, (*path, name))
    if isinstance(schema.get("items"), dict):
        yield from paths_of(schema["items"], root, (*path, 0))


def resolved(root, reference):
    for step in reference.removeprefix("#/").split("/"):
        root = root[step]
    return root


def with_text(path, text):
    """A document with nothing but the text at that place."""
    for step in reversed(path):
        text = [text] if step == 0 else {step: text}
    return text


async def test_every_text_of_every_rest_body(target, hostile_platform, cheap):
    headers = {"Authorization": f"Bearer {hostile_platform.token(uuid4())}"}
    tried = turn = 0
    async with httpx.AsyncClient(base_url=target.url, headers=headers, timeout=PATIENCE_SECONDS) as http:
        document = (await http.get("/api/v1/openapi.json")).json()
        for template, calls in document["paths"].items():
            path = template
            for name in template.split("{")[1:]:
                path = path.replace("{" + name.partition("}")[0] + "}", str(uuid4()))
            for method, call in calls.items():
                if "requestBody" not in call:
                    continue
                body = call["requestBody"]["content"]["application/json"]["schema"]
                places = sorted(set(paths_of(body, document)), key=str)
                turn += 1
                for place in some([*places, ("data", "attributes", "unknown")], turn):
                    for sent in (with_text(place, MARKS), with_text((*place[:-1], MARKS), 1)):
                        with cheap():
                            answer = await http.request(method, path, json=sent)
                        assert answer.status_code < 500, (method, path, place)
                        assert answer.status_code != 413, "the text has to reach the fields"
                        assert len(answer.content) < MAX_ANSWER_BYTES
                        tried += 1
    assert tried > sized(50, 200)


async def test_every_text_of_every_query_and_header(target, hostile_platform, cheap):
    authorization = f"Bearer {hostile_platform.token(uuid4())}"
    text = "a" + "\u0301\u0316" * 1_200  # what a request line holds
    async with httpx.AsyncClient(base_url=target.url, timeout=PATIENCE_SECONDS) as http:
        document = (await http.get("/api/v1/openapi.json")).json()
        for template, calls in document["paths"].items():
            for parameter in calls.get("get", {}).get("parameters", ()):
                if parameter.get("in") == "query" and "{" not in template:
                    with cheap():
                        answer = await http.get(
                            template, params={parameter["name"]: text}, headers={"Authorization": authorization}
                        )
                    assert answer.status_code < 500
                    assert len(answer.content) < MAX_ANSWER_BYTES
        items = "/api/v1/library/items"
        for name in ("Accept-Language", "If-None-Match", "X-Request-ID", "traceparent", "Origin", "Authorization"):
            for value in (text.encode(), b"a," * 7_000, b'"a",' * 3_500, b";q=" * 4_000):
                headers = {"Authorization": authorization, name: value}
                with cheap():
                    answer = await http.get(items, headers=headers)
                assert answer.status_code < 500
                assert len(answer.content) < MAX_ANSWER_BYTES
        for name in ("Idempotency-Key", "If-Match", "Content-Type"):
            headers = {"Authorization": authorization, name: text.encode()}
            with cheap():
                answer = await http.post("/api/v1/library/categories", headers=headers, json={})
            assert 400 <= answer.status_code < 500


def text_fields(descriptor, path=()):
    """The way to every string and every bytes field of a message."""
    for field in descriptor.fields:
        if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            yield (*path, field)
        elif field.message_type is not None and len(path) < 3:
            yield from text_fields(field.message_type, (*path, field))


def filled(descriptor, path, text, user_id):
    """A message with good ids, and the text in one field."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated and field.name.endswith("_id"):
            setattr(message, field.name, user_id if field.name == "user_id" else str(uuid4()))
    at = message
    if len(path) > 1 and path[-2].message_type.GetOptions().map_entry:
        *path, entries, part = path
    else:
        entries = part = None
    for field in path[: len(path) if entries else -1]:
        at = getattr(at, field.name).add() if field.is_repeated else getattr(at, field.name)
        at.SetInParent()
    if entries:
        nothing = part.containing_type.fields_by_name["value"].default_value
        getattr(at, entries.name).update({text: nothing} if part.name == "key" else {"x": text})
        return message
    field, value = path[-1], text.encode() if path[-1].type == FieldDescriptor.TYPE_BYTES else text
    if field.is_repeated:
        getattr(at, field.name).append(value)
    else:
        setattr(at, field.name, value)
    return message


def grpc_services():
    for module in pkgutil.iter_modules(protos.__path__, f"{protos.__name__}."):
        if module.name.endswith("_pb2"):
            yield from importlib.import_module(module.name).DESCRIPTOR.services_by_name.values()


async def test_every_text_of_every_grpc_message(target, hostile_platform, cheap):
    user_id = str(uuid4())
    metadata = (("authorization", f"Bearer {hostile_platform.token(user_id, *ALL_ROLES)}"),)
    tried = 0
    async with grpc.aio.insecure_channel(target.grpc) as channel:
        for service in grpc_services():
            for turn, method in enumerate(service.methods):
                for path in some(text_fields(method.input_type), turn):
                    if path[-1].containing_type.full_name.startswith("google.protobuf."):
                        continue
                    sent = filled(method.input_type, path, MARKS, user_id).SerializeToString()
                    name = f"/{service.full_name}/{method.name}"
                    with cheap():
                        code = await code_of(channel, name, method.client_streaming, sent, metadata)
                    assert code not in ("UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED"), (name, path[-1].name)
                    tried += 1
    assert tried > sized(40, 150)


async def code_of(channel, name, is_stream, sent, metadata):
    try:
        if is_stream:
            call = channel.stream_stream(name)(metadata=metadata, timeout=PATIENCE_SECONDS)
            await call.write(
                sent
            )  # and nothing more: a second write to an ended stream would raise, without the status
            await call.read()
            return "OK"
        await channel.unary_unary(name)(sent, metadata=metadata, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def hostile_events():
    """For each text of each consumed event, one event with the marks there; and the envelope's own texts."""
    envelope = {"specversion": "1.0", "source": "hostile", "time": "2026-01-01T00:00:00Z"}
    for kind, consumers in CONSUMED.by_type.items():
        topic, good = consumers[0].topic, {"userId": str(uuid4()), "productId": str(uuid4())}
        schemas = [one.data.model_json_schema() for one in consumers]
        for path in sorted({path for schema in schemas for path in paths_of(schema, schema)}, key=str):
            for data in ({**good, **with_text(path, MARKS)}, {**good, **with_text((*path[:-1], MARKS), 1)}):
                yield topic, {**envelope, "id": str(uuid4()), "type": kind, "data": data}
        for name in Incoming.model_fields:
            yield topic, {**envelope, "id": str(uuid4()), "type": kind, "data": good, name: MARKS}


async def test_every_text_of_every_consumed_event(target, hostile_platform, cpu_seconds):
    events = list(hostile_events())
    assert len(events) > 100
    product, other = uuid4(), uuid4()
    purchase = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "payment",
        "type": "com.platform.payment.purchase.completed.v1",
        "data": {"userId": str(other), "orderId": "o-1", "items": [{"productId": str(product), "quantity": 1}]},
    }
    before = cpu_seconds()
    producer = AIOKafkaProducer(bootstrap_servers=hostile_platform.kafka.address, max_request_size=2**20)
    await producer.start()
    try:
        for topic, event in events:
            await producer.send_and_wait(topic, json.dumps(event, ensure_ascii=False).encode(), key=b"hostile")
        for number in range(20):  # one behind each partition's hostile ones, whichever it is
            again = {**purchase, "id": f"{purchase['id']}-{number}"}
            await producer.send_and_wait(
                "com.platform.payment.events.v1", json.dumps(again).encode(), key=b"%d" % number
            )
    finally:
        await producer.stop()
    headers = {"Authorization": f"Bearer {hostile_platform.token(other)}"}
    async with httpx.AsyncClient(base_url=target.api, headers=headers, timeout=PATIENCE_SECONDS) as http:
        while not (await http.get("/items")).json()["data"]:
            assert cpu_seconds() - before < MOST_FLOORS * cpu_floor() * len(events)
