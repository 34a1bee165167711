"""The log has one JSON object per line, and never a secret."""

import io
import json
import logging
import sys
import warnings

import pytest
from gameshelf.gateway.runtime.observability.logs import configure_logging, redact
from gameshelf.gateway.runtime.observability.traces import Tracing

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.fixture
def lines(monkeypatch):
    """Returns what this process writes to standard output, as it is set up by ``configure_logging``."""
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    configure_logging("INFO", "library-service", "one")
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


def test_a_line_is_one_object_with_the_fields_of_the_contract(lines):
    logging.getLogger("gameshelf.test").info("two\nlines of %s", "text", extra={"fields": {"http.status": 200}})
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "INFO",
        "service": "library-service",
        "instance": "one",
        "message": "two\nlines of text",
        "logger": "gameshelf.test",
        "trace_id": "",
        "span_id": "",
        "http.status": 200,
    }


def test_a_line_of_a_request_names_its_trace(lines):
    with Tracing().request("GET") as request:
        logging.getLogger("gameshelf.test").info("served")
    assert (lines()[0]["trace_id"], lines()[0]["span_id"]) == (request.trace.trace_id, request.trace.span_id)


def test_an_error_says_its_kind_its_message_and_where(lines):
    try:
        raise KeyError("what is missing")
    except KeyError:
        logging.getLogger("gameshelf.test").exception("failed")
    (line,) = lines()
    assert (line["error.type"], line["error.message"]) == ("KeyError", "'what is missing'")
    assert "test_logs.py" in line["error.stack"]


@pytest.mark.parametrize("value", ["\ud800", object(), {1, 2}, float("nan"), b"\xff", 1 << 80])
def test_no_value_costs_a_line(lines, value):
    logging.getLogger("gameshelf.test").info("odd: %s", value, extra={"fields": {"odd": value}})
    assert lines()[0]["message"].startswith("odd: ")


def test_libraries_speak_only_of_what_went_wrong(lines):
    logging.getLogger("aiokafka.consumer").info("joined")
    logging.getLogger("aiokafka.consumer").warning("left")
    assert [line["message"] for line in lines()] == ["left"]


def test_warnings_and_the_error_that_ends_the_process_are_lines_too(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    try:
        raise RuntimeError(f"Bearer {JWT}")
    except RuntimeError:
        sys.excepthook(*sys.exc_info())
    warned, ended = lines()
    assert (warned["level"], ended["level"], ended["error.type"]) == ("WARNING", "CRITICAL", "RuntimeError")
    assert JWT not in json.dumps(ended)


SECRETS = {
    "token": (f"got {JWT}, which is old", JWT),
    "subprotocol": (f"bearer, {JWT}", JWT),
    "query": (f"GET /ws?token={JWT}", JWT),
    "header": ("Authorization: Bearer abcdefgh.ijklmnop/qrst==", "abcdefgh.ijklmnop"),
    "database": ("cannot reach postgresql://library:hun%40ter2@127.0.0.1:5432/library", "hun%40ter2"),
    "odd password": ("postgresql://library:p@ss@127.0.0.1/library", "p@ss"),
    "redis": ("redis://:hunter2@127.0.0.1", "hunter2"),
    "assignment": ("KAFKA_SASL_PASSWORD=hunter2 is set", "hunter2"),
    "access key": ("S3_SECRET_ACCESS_KEY: hunter2", "hunter2"),
    "hash key": ("ERASURE_HASH_KEY=0123456789abcdef", "0123456789abcdef"),
    "json": ('{"user": "x", "password": "hunter 2"}', "hunter 2"),
    "keywords": ("host=x user=y password='hunter 2' port=1", "hunter 2"),
    "signed address": ("GET /b/k?X-Amz-Signature=0f1e2d3c&x=1", "0f1e2d3c"),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_reaches_no_part_of_a_line(lines, kind):
    text, secret = SECRETS[kind]
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("gameshelf.test").exception(
            "failed: %s", text, extra={"fields": {"detail": text, "list": object()}}
        )
    (line,) = lines()
    # The line of the stack that shows the source is of this test's own making.
    assert all(secret not in json.dumps(value) for value in line.values())


@pytest.mark.parametrize(
    "text",
    [
        "no bearer token",
        "http://127.0.0.1:8084/api/v1/library/items",
        "GET /items 200",
        "the password is wrong",
        "user 7b0c1a52-6f7e-4b57-9a0f-3f1d4b1c2d3e wrote to a@b.example",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text
