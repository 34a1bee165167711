"""One trace through everything: what a real receiver of OTLP gets of a purchase and of a request."""

import gzip
import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.events import CloudEvent
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

EVENTS = "com.platform.library.events.v1"
PARENT = "b7ad6b7169203331"


class Export(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in sent.scope_spans:
                for span in scope.spans:
                    self.server.traces[span.trace_id.hex()].append(span)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Export)
    server.traces = defaultdict(list)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def service(platform, receiver):
    made = platform.service(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.server_address[1]}",
        RATE_LIMIT_USER_PER_MINUTE="1000000",
    )
    made.environment["OTEL_BSP_SCHEDULE_DELAY"] = "100"  # milliseconds between two exports
    made.start()
    return made


@pytest.fixture
def spans(receiver, wait_until):
    """The spans of a trace by name, once all of these are there."""

    async def of(trace_id, *names):
        async def there():
            found = defaultdict(list)
            for span in list(receiver.traces[trace_id]):
                found[span.name].append(span)
            return found if all(name in found for name in names) else None

        return await wait_until(there)

    return of


async def test_a_purchase_is_followed_from_kafka_through_the_database_to_kafka(
    platform, service, player, spans, read_records, wait_until, purchase_of
):
    trace_id, game = uuid4().hex, uuid4()

    class Traced(CloudEvent):
        def encode(self):
            return json.dumps({**json.loads(super().encode()), "traceparent": f"00-{trace_id}-{PARENT}-01"}).encode()

    bought = purchase_of(player.id, game)
    await player.publish(Traced(bought.type, bought.data))
    [record] = await read_records(platform, EVENTS, bool)
    found = await spans(trace_id, f"consume {bought.type}", "postgresql", f"send {EVENTS}")
    [consumed], [sent] = found[f"consume {bought.type}"], found[f"send {EVENTS}"]
    assert (consumed.kind, sent.kind) == (Span.SPAN_KIND_CONSUMER, Span.SPAN_KIND_PRODUCER)
    assert consumed.parent_span_id.hex() == PARENT
    assert {span.parent_span_id for span in found["postgresql"]} == {consumed.span_id}
    assert sent.parent_span_id == consumed.span_id
    assert sent.start_time_unix_nano >= consumed.start_time_unix_nano
    assert json.loads(record.value)["traceparent"] == f"00-{trace_id}-{consumed.span_id.hex()}-01"
    assert str(player.id) not in str(found)


async def test_a_request_is_followed_to_the_database_and_to_redis(service, player, spans):
    trace_id = uuid4().hex
    answer = await player.http.get("/items", headers={"traceparent": f"00-{trace_id}-{PARENT}-01"})
    assert answer.status_code == 200
    found = await spans(trace_id, "GET /api/v1/library/items", "postgresql", "redis")
    [request] = found["GET /api/v1/library/items"]
    assert request.kind == Span.SPAN_KIND_SERVER
    for name in ("postgresql", "redis"):
        assert {span.parent_span_id for span in found[name]} == {request.span_id}
        assert all(span.kind == Span.SPAN_KIND_CLIENT for span in found[name])


async def test_a_request_that_fails_is_sent_though_nobody_sampled_it(platform, service, player, spans, receiver):

    trace_id, quiet = uuid4().hex, uuid4().hex
    assert (await player.http.get("/items", headers={"traceparent": f"00-{quiet}-{PARENT}-00"})).status_code == 200
    connection = await asyncpg.connect(platform.dsn)
    await connection.execute("ALTER TABLE library.user_game_categories RENAME TO away")
    try:
        answer = await player.http.get("/categories", headers={"traceparent": f"00-{trace_id}-{PARENT}-00"})
    finally:
        await connection.execute("ALTER TABLE library.away RENAME TO user_game_categories")
        await connection.close()
    assert answer.status_code == 500
    assert answer.json()["meta"]["trace_id"] == trace_id
    found = await spans(trace_id, "GET /api/v1/library/categories")
    [request] = found["GET /api/v1/library/categories"]
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert quiet not in receiver.traces
