"""Requests of a hostile client over HTTP/1: each gets its 4xx or a silent close, and harms nobody."""

import random
import socket
import struct
from contextlib import ExitStack, suppress
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.wire import connect, exchange, read_all, read_response, status_of

HOST = b"Host: localhost\r\n"
API = b"/api/v1/library"


@pytest.fixture(scope="module", params=["hypercorn", pytest.param("granian", marks=pytest.mark.long)])
def target(request, target_on):
    return target_on(request.param)


@pytest.fixture
def token(hostile_platform):
    return hostile_platform.token(uuid4()).encode()


def ask(target, request):
    """The status of the first response to a request that is sent as it stands; 0 for a silent close."""
    with connect(target.http_port) as client:
        with suppress(OSError):  # who refuses early may close early
            client.sendall(request)
        try:
            return read_response(client)[0]
        except ConnectionError:
            return 0


MALFORMED = {
    "bytes of another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "a path that is not ASCII": "GET /папка HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a path in no encoding": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is not ASCII": "ВЗЯТЬ / HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a header's name with a space": b"GET / HTTP/1.1\r\n" + HOST + b"X Y: z\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: many\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "an unknown transfer encoding": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: rot13\r\n\r\n",
    "a header of a megabyte": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 2**20 + b"\r\n\r\n",
    "a path of a megabyte": b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "fifty thousand headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 50_000 + b"\r\n",
    "HTTP/2 without being asked for": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_http_is_refused(target, name):
    assert ask(target, MALFORMED[name]) in (0, 400, 404, 414, 431)


def test_a_request_without_a_host_is_refused(target):
    assert ask(target, b"GET /health/live HTTP/1.1\r\n\r\n") == 400


def test_who_is_refused_in_the_middle_of_a_body_holds_no_connection(target, token):
    """The answer comes before the body, and nothing reads the rest of the body."""
    for _ in range(5):
        with connect(target.http_port) as client, suppress(OSError):
            client.sendall(posting(token, b"Content-Length: 4000000") + bytes(200_000))
            client.sendall(bytes(1_000_000))
    assert ask(target, b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n") == 200


def test_a_refusal_of_what_is_not_http_has_the_usual_envelope(target_on):
    with connect(target_on("hypercorn").http_port) as client:
        client.sendall(MALFORMED["a path in no encoding"])
        status, body = read_response(client)
    assert status == 400
    assert httpx.Response(400, content=body).json()["errors"][0]["code"] == "VALIDATION_ERROR"


ODD = {
    "an absolute URI": (b"GET http://elsewhere.example/health/live HTTP/1.1", {200}),
    "an absolute URI without a path": (b"GET http://elsewhere.example HTTP/1.1", {301, 302, 308, 404}),
    "all of the server": (b"OPTIONS * HTTP/1.1", {204, 400, 404, 405}),
    "a tunnel": (b"CONNECT elsewhere.example:443 HTTP/1.1", {0, 400, 404, 405}),
    "a bad percent encoding": (b"GET /api/v1/library/%zz%1 HTTP/1.1", {404}),
    "percent-encoded NUL": (b"GET /api/v1/library/%00 HTTP/1.1", {400, 404}),
    "percent-encoded bytes that are not UTF-8": (b"GET /api/v1/library/items/%ff%fe HTTP/1.1", {404}),
    "a query that is not UTF-8": (b"GET /api/v1/library/items?search=%ff%fe HTTP/1.1", {400}),
    "a way out of the assets": (b"GET /api/v1/docs/assets/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1", {400, 404}),
    "a path with two slashes": (b"GET //api/v1//library//items HTTP/1.1", {301, 308, 404}),
    "an unknown method": (b"BREW /api/v1/library/items HTTP/1.1", {405}),
    "the WebSocket's path without an upgrade": (b"GET /api/v1/ws/library-updates HTTP/1.1", {400}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests_have_an_answer_of_their_own(target, token, name):
    line, statuses = ODD[name]
    request = line + b"\r\n" + HOST + b"Authorization: Bearer " + token + b"\r\n\r\n"
    assert ask(target, request) in statuses


def posting(token, *headers):
    lines = [b"POST " + API + b"/categories HTTP/1.1", b"Host: localhost", b"Authorization: Bearer " + token]
    return b"\r\n".join([*lines, b"Content-Type: application/json", *headers, b"", b""])


CHUNKS = {
    "a size that is no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a size beyond all memory": b"FFFFFFFFFFFFFFFF\r\n{}\r\n",
    "a size beyond 64 bits": b"F" * 40 + b"\r\n{}\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": b"2\r\n{}{}{}\r\n0\r\n\r\n",
    "an extension of a megabyte": b"2;" + b"x" * 2**20 + b"\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_a_body_in_bad_chunks_is_refused(target, token, name):
    with connect(target.http_port) as client:
        with suppress(OSError):
            client.sendall(posting(token, b"Transfer-Encoding: chunked") + CHUNKS[name])
            client.shutdown(socket.SHUT_WR)
        assert status_of(read_all(client)) in (0, 400, 413, 431)


def test_a_length_beside_chunks_smuggles_no_second_request(target, token):
    inner = b"GET /api/v1/library/items HTTP/1.1\r\nHost: inner\r\n\r\n"
    request = posting(token, b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n" + inner
    received = exchange(target.http_port, request, half_close=True)
    assert status_of(received) in (0, 400)


def test_a_client_that_leaves_during_its_body_causes_no_error(target, token):
    for step in range(30):
        client = connect(target.http_port)
        client.sendall(posting(token, b"Content-Length: 1000") + b'{"data":')
        if step % 3 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # resets
        elif step % 3 == 1:
            client.shutdown(socket.SHUT_WR)
            assert status_of(read_all(client)) in (0, 400)
        client.close()


def test_a_body_that_is_promised_and_not_sent_holds_nobody_up(target, token, watch):
    with ExitStack() as held:
        for _ in range(100):
            client = held.enter_context(connect(target.http_port))
            client.sendall(posting(token, b"Content-Length: 1000") + b"{")
            head = held.enter_context(connect(target.http_port))
            head.sendall(b"GET /health/live HTTP/1.1\r\nHost: slow")
            head.sendall(b"ly")
        assert httpx.get(f"{target.url}/health/live").status_code == 200


def test_a_body_without_an_end_is_refused_and_not_kept(target, token):
    with connect(target.http_port) as client:
        with suppress(OSError):
            client.sendall(posting(token, b"Transfer-Encoding: chunked"))
            for _ in range(1000):
                client.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        assert status_of(read_all(client)) in (0, 413)


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(target):
    with connect(target.http_port) as client:
        client.sendall((b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n") * 50)
        answers = b""
        while answers.count(b'{"status":"ok"}') < 50:
            chunk = client.recv(65536)
            assert chunk, answers
            answers += chunk


def test_a_change_to_http2_is_not_made(target):
    request = b"GET /health/live HTTP/1.1\r\n" + HOST
    request += b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    assert ask(target, request) == 200


def test_who_reads_no_answer_fills_no_memory(target):
    """Each client requests 1.5 MB and reads none of it."""
    with ExitStack() as held:
        for _ in range(60):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            held.enter_context(client)
            client.connect(("127.0.0.1", target.http_port))
            client.sendall(b"GET /api/v1/docs/assets/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n")
        for _ in range(20):
            assert httpx.get(f"{target.url}/health/live").status_code == 200


def test_two_authorization_headers_are_refused(target, token):
    line = b"Authorization: Bearer " + token + b"\r\n"
    with connect(target.http_port) as client:
        client.sendall(
            b"GET /api/v1/library/items HTTP/1.1\r\n" + HOST + b"Accept-Language: en\r\n" + line * 2 + b"\r\n"
        )
        status, body = read_response(client)
    assert status == 401
    assert b"more than once" in body


def test_responses_are_not_sniffed_and_the_docs_are_framed_by_nobody(target):
    for path in ("/health/live", "/api/v1/docs", "/api/v1/docs/assets/swagger-ui.css", "/nothing"):
        answer = httpx.get(target.url + path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "hypercorn" not in str(answer.headers).lower()
    policy = httpx.get(f"{target.url}/api/v1/docs").headers["Content-Security-Policy"]
    for directive in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
        assert directive in policy


def test_mutated_requests_are_answered_or_closed(target, token):
    source = random.Random(12)
    body = b'{"data":{"attributes":{"name":"\xd0\x9c\xd0\xbe\xd0\xb8"}}}'
    valid = posting(token, b"Content-Length: %d" % len(body), b"Connection: close") + body
    for _ in range(300):
        mutated = bytearray(valid)
        for _ in range(source.randint(1, 8)):
            at = source.randrange(len(mutated))
            match source.randrange(4):
                case 0:
                    mutated[at] = source.randrange(256)
                case 1:
                    del mutated[at : at + source.randint(1, 20)]
                case 2:
                    mutated[at:at] = source.choice([b"\r\n", b"\x00", b":", b"%", b"\xff", b" ", b"\t", b"\r\n\r\n"])
                case 3:
                    mutated[at:at] = mutated[at : at + source.randint(1, 40)]
        assert status_of(exchange(target.http_port, bytes(mutated), half_close=True)) < 500
