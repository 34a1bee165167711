"""Keys of a JWKS URL, served by a real HTTP server."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.identity import InvalidCredentials, PemKeys, RemoteKeys, TokenVerifier
from gameshelf.gateway.runtime.identity.remote_keys import MAX_AGE_SECONDS, REFRESH_SECONDS, parse_jwks
from jwt import encode
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

A, B = (rsa.generate_private_key(65537, 2048) for _ in range(2))
EC = ec.generate_private_key(ec.SECP256R1())
USER = "7b0c1a52-6f7e-4b57-9a0f-3f1d4b1c2d3e"


def jwk(key, kid, **more):
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    made = {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}
    return {name: value for name, value in made.items() if value is not None}


def token(key, kid):
    claims = {"sub": USER, "roles": ["user"], "iss": "issuer", "aud": "library", "exp": 4_000_000_000}
    return encode(claims, key, algorithm="RS256", headers={"kid": kid} if kid else None)


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self):
        return self.now


class Issuer(ThreadingHTTPServer):
    """Answers every GET with ``document``; ``gate`` holds the answers back."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked, self.status, self.headers = 0, 200, {}
        self.gate = threading.Event()
        self.gate.set()
        self.publish()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/keys"

    def publish(self, *keys):
        self.document = json.dumps({"keys": keys}).encode()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        issuer = self.server
        issuer.asked += 1
        issuer.gate.wait(PATIENCE_SECONDS)
        self.send_response(issuer.status)
        for name, value in issuer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(issuer.document)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def issuer():
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def seconds():
    return Clock()


@pytest.fixture
def keys(issuer, seconds):
    return RemoteKeys(issuer.url, seconds)


@pytest.fixture
def verifier(keys):
    return TokenVerifier(keys, "issuer", "library")


async def is_taken(verifier, key, kid):
    try:
        return str((await verifier.verify(token(key, kid))).user_id) == USER
    except InvalidCredentials:
        return False


async def test_an_unknown_key_is_asked_for_at_most_every_thirty_seconds(issuer, verifier, seconds):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    for number in range(20):
        assert not await is_taken(verifier, B, f"b{number}")
    assert issuer.asked == 1

    issuer.publish(jwk(A, "a"), jwk(B, "b"))
    seconds.now += REFRESH_SECONDS - 1
    assert not await is_taken(verifier, B, "b")
    seconds.now += 1
    assert await is_taken(verifier, B, "b")
    assert await is_taken(verifier, A, "a")
    assert issuer.asked == 2


async def test_a_withdrawn_key_is_taken_no_more_also_for_a_remembered_token(issuer, verifier, seconds):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    issuer.publish(jwk(B, "b"))
    seconds.now += MAX_AGE_SECONDS
    assert not await is_taken(verifier, A, "a")


async def test_another_key_under_the_same_id_replaces_the_old_one(issuer, verifier, seconds):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    issuer.publish(jwk(B, "a"))
    seconds.now += MAX_AGE_SECONDS
    assert await is_taken(verifier, B, "a")
    assert not await is_taken(verifier, A, "a")


async def test_under_steady_traffic_nobody_waits_for_the_renewal(issuer, verifier, keys, seconds):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    issuer.gate.clear()
    issuer.publish(jwk(B, "b"))
    seconds.now += MAX_AGE_SECONDS / 2
    assert await is_taken(verifier, A, "a")  # the renewal has begun, and is held back
    issuer.gate.set()
    assert await is_taken(verifier, B, "b")  # an unknown key waits for it
    assert not await is_taken(verifier, A, "a")
    assert issuer.asked == 2


async def test_the_first_ones_wait_for_one_answer_even_when_who_asked_hangs_up(issuer, verifier):
    issuer.publish(jwk(A, "a"))
    issuer.gate.clear()
    first, *others = (asyncio.create_task(is_taken(verifier, A, "a")) for _ in range(10))
    while not issuer.asked:
        await asyncio.sleep(0.01)
    first.cancel()
    issuer.gate.set()
    assert all(await asyncio.gather(*others))
    assert issuer.asked == 1


FAILURES = {
    "an error": (500, b"{}"),
    "no JSON": (200, b"<html>"),
    "no JWKS": (200, b"[]"),
    "no list": (200, b'{"keys": {"a": 1}}'),
    "too deep": (200, b'{"keys": ' + b"[" * 100_000),
    "too large": (200, b'{"keys": []}' + b" " * 300_000),
    "too many keys": (200, b'{"keys": [' + b"1," * 40 + b"1]}"),
    "nothing": (200, b""),
    "a pointer elsewhere": (302, b""),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_known_keys_stay_in_use_while_the_url_answers_nonsense(issuer, verifier, seconds, failure):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    issuer.status, issuer.document = FAILURES[failure]
    issuer.headers = {"Location": f"http://127.0.0.1:{issuer.server_address[1]}/elsewhere"}
    seconds.now += MAX_AGE_SECONDS
    assert await is_taken(verifier, A, "a")
    assert issuer.asked == 2


async def test_known_keys_stay_in_use_while_nobody_listens(issuer, verifier, keys, seconds):
    issuer.publish(jwk(A, "a"))
    assert await is_taken(verifier, A, "a")
    issuer.shutdown()
    issuer.server_close()
    seconds.now += MAX_AGE_SECONDS
    assert await is_taken(verifier, A, "a")
    assert not await is_taken(verifier, B, "b")


async def test_without_a_key_id_every_key_is_tried(issuer, verifier):
    issuer.publish(jwk(A, None), jwk(B, None), jwk(EC, "c"))
    assert await is_taken(verifier, A, None)
    assert await is_taken(verifier, B, None)


ODD = {
    "weak": jwk(rsa.generate_private_key(65537, 1024), "x"),
    "of a curve of its own": jwk(ec.generate_private_key(ec.SECP384R1()), "x"),
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"},
    "private": {**json.loads(RSAAlgorithm.to_jwk(A)), "kid": "x"},
    "for encryption": jwk(A, "x", use="enc"),
    "for another algorithm": jwk(A, "x", alg="RS512"),
    "broken": {"kty": "RSA", "kid": "x", "n": "!", "e": 5},
    "empty": {},
    "no object": "x",
    "with an odd id": jwk(A, ["x"]),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_key_that_can_not_be_used_does_not_cost_the_others(kind):
    assert list(parse_jwks(json.dumps({"keys": [ODD[kind], jwk(EC, "good")]}).encode())) == ["good"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/keys", "keys.json", "https://", ""])
def test_only_web_addresses_are_asked(url):
    with pytest.raises(ValueError, match="JWKS"):
        RemoteKeys(url)


async def test_keys_of_a_file_need_no_id_and_never_change(tmp_path):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    path = tmp_path / "keys.pem"
    path.write_bytes(
        b"# two forms of PEM\n"
        + A.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        + EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert [key.algorithm for key in await PemKeys(path).find_keys("any")] == ["RS256", "ES256"]
