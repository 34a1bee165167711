"""Traces, as a real receiver of OTLP over HTTP gets them."""

import asyncio
import gzip
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.object_store import object_store
from gameshelf.gateway.runtime.observability import traces
from gameshelf.gateway.runtime.observability.context import parse_traceparent
from gameshelf.gateway.runtime.observability.traces import Tracing, current_trace, current_trace_id, current_traceparent
from gameshelf.savegames import StoreUnavailable
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


class Receiver(ThreadingHTTPServer):
    """Keeps the spans that it is sent; ``gate`` holds the answers back."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Export)
        self.spans, self.resources, self.paths = [], [], set()
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Export(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.gate.wait(PATIENCE_SECONDS)
        self.server.paths.add(self.path)
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.server.resources.append({a.key: a.value.string_value for a in sent.resource.attributes})
            self.server.spans += [span for scope in sent.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def patient(monkeypatch):
    """Lets the end of a tracing wait until all is sent: a busy machine may take longer than the service waits."""
    monkeypatch.setattr(traces, "_EXPORT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(traces, "_SHUTDOWN_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def traced(receiver, patient):
    """Runs requests in a tracing that samples this share of them; the spans that the receiver then has, by name."""

    def run(work, share=0.0):
        tracing = Tracing(receiver.url, "library-service", "one", share)
        work(tracing)
        tracing.shutdown()
        return {span.name: span for span in receiver.spans}

    return run


def attributes(span):
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_sampled_request_is_a_root_with_the_ids_that_the_logs_had(traced, receiver):
    seen = []

    def work(tracing):
        with tracing.request("GET") as request:
            seen.append(current_trace())
            request.name = "GET /items"
            request.attributes = {"http.response.status_code": 200}

    span = traced(work, share=1.0)["GET /items"]
    assert (span.trace_id.hex(), span.span_id.hex()) == (seen[0].trace_id, seen[0].span_id)
    assert span.parent_span_id == b""
    assert span.kind == Span.SPAN_KIND_SERVER
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert attributes(span) == {"http.response.status_code": 200}
    assert receiver.paths == {"/v1/traces"}
    assert receiver.resources[0]["service.name"] == "library-service"
    assert receiver.resources[0]["service.instance.id"] == "one"


def test_calls_hang_under_their_request_and_what_they_call_under_them(traced):
    headers = []

    def work(tracing):
        with tracing.request("request", SAMPLED):
            with tracing.child("kafka send", records=5):
                headers.append(current_traceparent())
                tracing.past_child("postgresql", 0.25, **{"db.system.name": "postgresql"})
            headers.append(current_traceparent())

    spans = traced(work)
    request, call, query = spans["request"], spans["kafka send"], spans["postgresql"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    assert call.parent_span_id == request.span_id
    assert query.parent_span_id == call.span_id
    assert headers == [f"00-{TRACE}-{span.span_id.hex()}-01" for span in (call, request)]
    assert query.end_time_unix_nano - query.start_time_unix_nano == 250_000_000
    assert (attributes(call), attributes(query)) == ({"records": 5}, {"db.system.name": "postgresql"})


async def test_a_call_of_the_object_store_hangs_under_its_request(receiver, s3, patient):
    tracing = Tracing(receiver.url)
    needed = {"POSTGRES_DSN": "postgresql://db/library", "ERASURE_HASH_KEY": "0" * 32, "LIBRARY_SERVICE_ROLES": "jobs"}
    there, absent = (
        object_store(load_settings({**needed, **s3.settings(bucket)}), tracing=tracing)
        for bucket in (s3.bucket, "no-such-bucket")
    )
    with tracing.request("request", SAMPLED):
        for objects in (there, absent):
            await objects.open()
            with suppress(StoreUnavailable):
                await objects.digest("none", 1)
            await objects.close()
    await asyncio.to_thread(tracing.shutdown)
    *calls, request = sorted(receiver.spans, key=lambda span: (span.name == "request", span.start_time_unix_nano))
    assert [call.parent_span_id for call in calls] == [request.span_id] * 2
    assert [call.status.code for call in calls] == [Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR]
    assert attributes(calls[0]) == {"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": "GetObject"}


def test_an_unsampled_request_exports_nothing_and_propagates_that(traced):
    headers = []

    def work(tracing):
        for traceparent in (UNSAMPLED, None):
            with tracing.request("GET", traceparent), tracing.child("redis"):
                tracing.past_child("postgresql", 0.1)
                headers.append(current_traceparent())

    assert traced(work) == {}
    assert headers[0].startswith(f"00-{TRACE}-")
    assert all(header.endswith("-00") for header in headers)
    assert PARENT not in headers[0]


@pytest.mark.parametrize("traceparent", [UNSAMPLED, None])
def test_a_failed_request_is_always_exported_with_its_ids_and_start(traced, traceparent):
    seen, moments = [], []

    def work(tracing):
        with tracing.request("GET", traceparent) as request:
            moments.append(request._started)
            seen.append(current_trace())
            request.fail("HTTP 503")
            with tracing.child("redis"):
                pass

    spans = traced(work)
    assert list(spans) == ["GET"]
    span = spans["GET"]
    assert (span.trace_id.hex(), span.span_id.hex()) == (seen[0].trace_id, seen[0].span_id)
    assert span.parent_span_id.hex() == (PARENT if traceparent else "")
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "HTTP 503")
    assert span.start_time_unix_nano == moments[0]


def test_an_error_is_exported_with_its_kind_but_not_its_message(traced):
    def work(tracing):
        with pytest.raises(KeyError), tracing.request("GET", SAMPLED), tracing.child("redis"):
            raise KeyError("a secret of a user")

    spans = traced(work)
    assert [spans[name].status.message for name in ("redis", "GET")] == ["KeyError", "KeyError"]
    assert "a secret" not in str(spans)


def test_a_request_that_is_cancelled_has_not_failed(traced):
    def work(tracing):
        with pytest.raises(asyncio.CancelledError), tracing.request("GET"):
            raise asyncio.CancelledError

    assert traced(work) == {}


def test_about_a_tenth_is_sampled_and_the_rest_is_not(receiver, patient):
    tracing = Tracing(receiver.url)
    sampled = set()
    for _ in range(5000):
        with tracing.request("GET") as request:
            if request.trace.sampled:
                sampled.add(request.trace.trace_id)
    tracing.shutdown()
    assert 290 < len(sampled) < 710  # ten standard deviations to either side
    assert {span.trace_id.hex() for span in receiver.spans} == sampled


async def test_requests_at_the_same_time_have_a_trace_each():
    tracing = Tracing()

    async def serve():
        with tracing.request("GET") as request:
            await asyncio.sleep(0)
            return request.trace.trace_id, current_trace_id()

    ids = await asyncio.gather(*(serve() for _ in range(50)))
    assert all(own == seen for own, seen in ids)
    assert len({own for own, _ in ids}) == 50
    assert current_trace_id() == ""
    assert current_traceparent() is None


def test_without_a_receiver_the_decision_of_a_caller_is_still_passed_on():
    tracing = Tracing()
    with tracing.request("GET", SAMPLED) as request:
        assert request.trace.span is None
        assert current_traceparent() == f"00-{TRACE}-{request.trace.span_id}-01"
    with tracing.request("GET"):
        assert str(current_traceparent()).endswith("-00")


def test_a_receiver_that_hangs_does_not_hold_up_the_end(receiver):
    receiver.gate.clear()
    tracing = Tracing(receiver.url, share=1.0)
    with tracing.request("GET"):
        pass
    tracing.shutdown()
    assert receiver.spans == []  # we are here although it has not answered


@pytest.mark.parametrize("header", [SAMPLED, f" {SAMPLED} ", f"01-{TRACE}-{PARENT}-01-more", f"00-{TRACE}-{PARENT}-03"])
def test_a_traceparent_is_understood(header):
    trace = parse_traceparent(header)
    assert trace is not None
    assert (trace.trace_id, trace.span_id, trace.sampled) == (TRACE, PARENT, True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{TRACE}-{PARENT}-01",
        f"{SAMPLED}-more",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-0x{TRACE[2:]}-{PARENT}-01",
        f"00-{TRACE[:-1]}_-{PARENT}-01",
        f"00-{TRACE[:-1]}٣-{PARENT}-01",
        f"00-{TRACE[:-1]}\n-{PARENT}-01",
        f"{SAMPLED},{SAMPLED}",
    ],
)
def test_anything_else_begins_a_trace_of_its_own(header):
    assert parse_traceparent(header) is None
    with Tracing().request("GET", header) as request:
        assert request.trace.trace_id != TRACE
