"""Every call of the OpenAPI document with what it does not allow: data, headers, content types and methods.

`services/gateway/tests/runtime/http/test_openapi.py` asks whether answers are as the document says; here it is only
whether a refused request harms the service. The watch and the log show the rest.
"""

import json
from uuid import uuid4

import httpx
import pytest
import schemathesis
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, sized, some
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "GETT")
CONTENT_TYPES = (
    "application/json; charset=utf-16",
    "application/json; charset=\xff",
    "application/json;" * 200,
    "APPLICATION/JSON",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "*/*",
    "",
    "/",
)
BODIES = {
    "nothing": b"",
    "white space": b" \r\n\t",
    "null": b"null",
    "true": b"true",
    "a number": b"-0",
    "a string": b'""',
    "a list": b"[]",
    "null data": b'{"data": null}',
    "data that is a list": b'{"data": [{"attributes": {}}]}',
    "null attributes": b'{"data": {"attributes": null}}',
    "a byte order mark": b'\xef\xbb\xbf{"data": {"attributes": {}}}',
    "UTF-16": '{"data": {"attributes": {}}}'.encode("utf-16"),
    "no UTF-8": b'{"data": {"attributes": {"\xff\xfe": "\xff"}}}',
    "half of a character": b'{"data": {"attributes": {"\\ud800": "\\udfff"}}}',
    "NUL": b'{"data": {"attributes": {"\\u0000": "\\u0000"}}}',
    "keys twice": b'{"data": {"attributes": {}, "attributes": {"a": 1, "a": 2}}, "data": {}}',
    "numbers that JSON lacks": b'{"data": {"attributes": {"a": NaN, "b": Infinity, "c": -Infinity}}}',
    "a number beyond all": b'{"data": {"attributes": {"a": 1e99999, "b": -1e-99999}}}',
    "an integer of 5,000 digits": b'{"data": {"attributes": {"a": ' + b"9" * 5_000 + b"}}}",
    "ten thousand levels": b'{"data": ' + b"[" * 10_000,
    "ten thousand closed levels": b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "more behind the end": b'{"data": {"attributes": {}}}{}',
    "no end": b'{"data": {"attributes": {',
    "a comment": b'{"data": {"attributes": {}} /* */}',
    "prototypes": b'{"__proto__": {"a": 1}, "data": {"attributes": {"constructor": {}, "__class__": "x"}}}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
}
HEADERS = (
    {"If-Match": '"' * 500},
    {"If-Match": '"a1.p2.d3", W/"9", *, ' + "9" * 5_000},
    {"If-None-Match": "*, *"},
    {"If-Modified-Since": "yesterday", "If-Unmodified-Since": "\xff", "If-Range": "x"},
    {"Idempotency-Key": "\x7f"},
    {"Idempotency-Key": "'; DROP TABLE x; --"},
    {"Accept": "application/xml;q=-1, ;;;", "Accept-Encoding": "gzip;q=nan, br, *;q=0"},
    {"Accept-Language": "ru;q=1e9999, en;q=x, " + "-" * 300, "Accept-Charset": "utf-7"},
    {"Range": "bytes=0-0,-1,5-1,9999999999999999999-", "Expect": "200-maybe"},
    {"Content-Encoding": "gzip, br", "Trailer": "Host"},
    {"Cookie": "a=b;" * 300, "Referer": "javascript:0", "User-Agent": "%n" * 100},
    {"X-Forwarded-For": "::1%eth0, 999.1.1.1", "X-Real-IP": "x", "X-User-Id": str(uuid4()), "Forwarded": 'for="_"'},
    {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/health/live", "X-Rewrite-URL": "/"},
    {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-zz", "tracestate": "=,=,=" * 100, "baggage": "a" * 8_000},
    {"X-Request-ID": "../../etc", "X-Client-Id": "\x7f\x80", "Origin": "null"},
    {f"X-{number}": "x" for number in range(150)},
)


@pytest.fixture(scope="module")
def document(target):
    return httpx.get(target.url + "/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def paths(document):
    """The path of each call with ids that nobody has, and the methods that it has."""
    found = {}
    for template, calls in document["paths"].items():
        path = template
        for name in template.split("{")[1:]:
            path = path.replace("{" + name.partition("}")[0] + "}", str(uuid4()))
        found[path] = {method.upper(): call for method, call in calls.items()}
    return found


@pytest.fixture
def http(target, hostile_platform):
    headers = {"Authorization": f"Bearer {hostile_platform.token(uuid4())}"}
    with httpx.Client(base_url=target.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.mark.long(minutes=4)
def test_generated_requests_make_no_failure_of_ours(document, target, hostile_platform):
    """Requests that are wrong in some way. ``runtime/http/test_openapi.py`` sends as many that are right."""
    schema = schemathesis.openapi.from_dict(document)
    headers = {"Authorization": f"Bearer {hostile_platform.token(uuid4())}"}
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        takes_nothing = not (operation.query or operation.path_parameters or operation.headers or operation.body)
        if takes_nothing:
            continue  # no value can be wrong

        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        @settings(
            max_examples=sized(1, 16),
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        def ask(case):
            assert case.call(base_url=target.url, headers=headers).status_code < 500

        ask()
        tried += 1
    assert tried > 40


def test_a_method_that_a_path_does_not_have_is_refused(paths, http):
    for turn, (path, calls) in enumerate(paths.items()):
        for method in some(METHODS, turn):
            if method not in calls:
                answer = http.request(method, path)
                assert answer.status_code in ({200, 204, 304, 400, 404, 405}), (method, path)
                if method != "HEAD" and answer.status_code == 405:
                    assert answer.json()["errors"][0]["code"] == "METHOD_NOT_ALLOWED"
                    assert answer.headers["Allow"]


def test_a_body_of_another_type_is_refused(paths, http):
    for turn, (path, calls) in enumerate(paths.items()):
        for method, call in calls.items():
            if "requestBody" in call:
                for content_type in some(CONTENT_TYPES, turn):
                    sent = json.dumps({"data": {"attributes": {"unknown": 1}}}).encode()
                    headers = {b"Content-Type": content_type.encode("latin-1")}
                    answer = http.request(method, path, content=sent, headers=headers)
                    assert answer.status_code in (400, 404, 415), (method, path, content_type)


def test_a_body_that_is_no_document_of_the_call_is_refused(paths, http):
    for turn, (path, calls) in enumerate(paths.items()):
        for method, call in calls.items():
            if method != "GET" and method != "DELETE":
                for name, sent in some(BODIES.items(), turn):
                    answer = http.request(method, path, content=sent, headers={"Content-Type": "application/json"})
                    assert answer.status_code < 500, (method, path, name)
                    assert "requestBody" not in call or answer.status_code >= 400 or name == "keys twice", (path, name)


def test_odd_headers_are_refused_or_ignored(paths, http):
    for turn, (path, calls) in enumerate(paths.items()):
        for method in calls:
            for given_headers in some(HEADERS, turn):
                headers = {name.encode(): value.encode("latin-1") for name, value in given_headers.items()}
                answer = http.request(method, path, headers=headers)
                assert answer.status_code < 500, (method, path, given_headers)
