"""Headers, queries and ids that no client of ours would send: each gets an answer without a failure of ours."""

from contextlib import suppress
from uuid import uuid4

import pytest
from gameshelf.devstack.wire import connect, read_response

ITEMS = "/api/v1/library/items"
UPDATES = "/api/v1/ws/library-updates"
LATIN = b"\xe9\xff\x80"
READ = {
    name: [b"%s: %s" % (name.encode(), value) for value in (LATIN, b"", b"," * 2000, b"\t", b'"', b"a" * 4000)]
    for name in (
        "Accept-Language",
        "Accept-Encoding",
        "If-None-Match",
        "If-Match",
        "Origin",
        "Traceparent",
        "X-Request-ID",
        "X-User-Id",
        "Content-Type",
        "Cookie",
        "Range",
        "Access-Control-Request-Method",
        "X-Forwarded-For",
        "Forwarded",
    )
}
HOSTS = (
    b"[::1",
    b"a@b",
    LATIN,
    b"",
    b"a b",
    b"a:b:c",
    b"a:99999999",
    b"../..",
    b"%00",
    b"a" * 3000,
    b"xn--\xff",
    b"a." * 200,
    b"a..b",
    b"[v1.a]",
)
WRITTEN = (
    b"Content-Encoding: gzip",
    b"Content-Type: application/json; charset=utf-16",
    b"Content-Type: application/json; charset=rot13",
    b"Content-Type: application/json; charset=\xff",
    b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: application/json\r\nContent-Type: text/plain",
    b"Content-Type: application/json\r\nExpect: 200-maybe",
    b"Content-Type: application/json\r\nIdempotency-Key: a\r\nIdempotency-Key: b",
    b"Content-Type: application/json\r\nIdempotency-Key: \xff",
    b"Content-Type: application/json\r\nIdempotency-Key: ",
    b'Content-Type: application/json\r\nIf-Match: "1", W/"2", *',
)
QUERIES = (
    "page=1&page=2",
    "page=%EF%BC%99",
    "page=1e3",
    "page=+1",
    "page=" + "9" * 400,
    "limit=%00",
    "search=%00",
    "search=%ed%a0%80",
    "cursor=" + "9" * 400,
    "=",
    "&&&&&",
    "&".join(f"a{number}" for number in range(1500)),
    "product_ids=" + ",".join(["x"] * 3000),
    "status=" + ",".join(["installed"] * 1000),
    "product_ids[]=1",
    "category_id=%7B%7D",
)
IDS = (
    "%EF%BC%91" * 12,
    str(uuid4()).upper(),
    f"{{{uuid4()}}}",
    f"urn:uuid:{uuid4()}",
    uuid4().hex,
    "." * 200,
    "%2e%2e%2f",
)
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKES = (
    (b"GET", UPDATES, b"HTTP/1.0", KEY),
    (b"POST", UPDATES, b"HTTP/1.1", KEY),
    (b"GET", UPDATES, b"HTTP/1.1", b"Sec-WebSocket-Key: no base64!"),
    (b"GET", UPDATES, b"HTTP/1.1", b"Sec-WebSocket-Key: "),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\n" + KEY),
    (b"GET", UPDATES + "?cursor=%ff", b"HTTP/1.1", KEY + b"\r\nSec-WebSocket-Protocol: bearer,"),
    (b"GET", UPDATES + "?cursor=" + "9" * 3000, b"HTTP/1.1", KEY + b"\r\nSec-WebSocket-Protocol: bearer, x, y"),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\nSec-WebSocket-Protocol: " + b"a," * 2000),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\nSec-WebSocket-Protocol: bearer\r\nSec-WebSocket-Protocol: x"),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\nOrigin: null"),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b"),
    (b"GET", UPDATES, b"HTTP/1.1", KEY + b"\r\nAuthorization: \xff"),
    (b"GET", UPDATES + "/%00", b"HTTP/1.1", KEY),
    (b"GET", "/health/ready", b"HTTP/1.1", KEY),
)


@pytest.fixture(scope="module", params=["hypercorn", pytest.param("granian", marks=pytest.mark.long)])
def target(request, target_on):
    return target_on(request.param)


@pytest.fixture
def token(hostile_platform):
    return hostile_platform.token(uuid4()).encode()


def statuses(target, requests):
    """The status of the answer to each request, 0 for a silent close; each on a connection of its own."""
    found = {}
    for request in requests:
        with connect(target.http_port) as client:
            with suppress(OSError):
                client.sendall(request)
            try:
                found[request[:300]] = read_response(client)[0]
            except ConnectionError:
                found[request[:300]] = 0
    return found


def lines(*given):
    return b"\r\n".join([*given, b"Connection: close", b"", b""])


def failures(target, requests):
    return {request: status for request, status in statuses(target, requests).items() if status >= 500}


def test_headers_of_a_read(target, token):
    bearer = b"Authorization: Bearer " + token
    start = b"GET " + ITEMS.encode() + b" HTTP/1.1"
    requests = [lines(start, b"Host: a", bearer, header) for headers in READ.values() for header in headers]
    requests += [
        lines(start, b"Host: a", bearer, header, header) for headers in READ.values() for header in headers[:1]
    ]
    assert not failures(target, requests)


def test_hosts(target, token):
    bearer = b"Authorization: Bearer " + token
    paths = (ITEMS, "/api/v1/library/items/", "/api/v1/docs", "/api/v1/openapi.json", "/health/ready", "/")
    assert not failures(
        target,
        [lines(b"GET %s HTTP/1.1" % path.encode(), b"Host: " + host, bearer) for host in HOSTS for path in paths],
    )


def test_headers_of_a_write(target, token):
    bearer, body = b"Authorization: Bearer " + token, b'{"data": {"attributes": {"name": "a"}}}'
    length = b"Content-Length: %d" % len(body)
    start = b"POST /api/v1/library/categories HTTP/1.1"
    assert not failures(target, [lines(start, b"Host: a", bearer, length, one) + body for one in WRITTEN])


def test_queries_and_ids(target, token):
    bearer = b"Authorization: Bearer " + token
    paths = [f"{path}?{query}" for query in QUERIES for path in (ITEMS, "/api/v1/library/events", "/api/v1/docs")]
    paths += [
        f"{parent}/{one}" for one in IDS for parent in (ITEMS, "/api/v1/library/savegames", "/api/v1/library/settings")
    ]
    assert not failures(target, [lines(b"GET %s HTTP/1.1" % one.encode(), b"Host: a", bearer) for one in paths])


def test_handshakes(target):
    upgrade = (b"Host: a", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13")
    found = statuses(
        target,
        [
            b"\r\n".join([b"%s %s %s" % (method, path.encode(), version), *upgrade, key, b"", b""])
            for method, path, version, key in HANDSHAKES
        ],
    )
    assert not {request: status for request, status in found.items() if status >= 500}
