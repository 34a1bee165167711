"""Tokens of every wrong kind, and the right one."""

import asyncio
import base64
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from gameshelf.gateway.identity import PemKeys, RemoteKeys, Role, TokenVerifier, Unauthenticated
from jwt.algorithms import RSAAlgorithm

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
USER = uuid4()
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def pem(*keys):
    return b"".join(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in keys)


def claims(**changed):
    made = {
        "sub": str(USER),
        "roles": ["user"],
        "iss": "issuer",
        "aud": "library",
        "exp": (NOW + timedelta(hours=1)).timestamp(),
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(key=RSA_KEY, algorithm="RS256", headers=None, **changed):
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers=headers)


def raw(header, payload, signature=b""):
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture
def clock():
    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def verifier(tmp_path, clock):
    path = tmp_path / "keys.pem"
    path.write_bytes(pem(RSA_KEY, EC_KEY))
    return TokenVerifier(PemKeys(path), "issuer", "library", clock)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256")])
async def test_a_good_token_names_its_user(verifier, key, algorithm):
    identity = await verifier.verify(signed(key, algorithm, roles=["user", "unheard of", 5]))
    assert identity.user_id == USER
    assert identity.roles == {Role.USER}


def hs256_with_the_public_key():
    import hashlib
    import hmac

    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=")
    signature = hmac.new(pem(RSA_KEY), header + b"." + body, hashlib.sha256).digest()
    return (header + b"." + body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


ATTACKS = {
    "expired": lambda: signed(exp=(NOW - timedelta(seconds=31)).timestamp()),
    "not valid yet": lambda: signed(nbf=(NOW + timedelta(seconds=31)).timestamp()),
    "no expiry": lambda: signed(exp=None),
    "expiry as text": lambda: signed(exp="99999999999"),
    "expiry as true": lambda: raw({"alg": "none"}, claims(exp=True)),
    "unsigned": lambda: raw({"alg": "none"}, claims()),
    "unsigned, in capitals": lambda: raw({"alg": "NoNe"}, claims()),
    "HS256 with the public key": hs256_with_the_public_key,
    "RS256 by another key": lambda: signed(OTHER_RSA),
    "RS512": lambda: signed(RSA_KEY, "RS512"),
    "another audience": lambda: signed(aud="payments"),
    "no audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="somebody"),
    "no user": lambda: signed(sub=None),
    "user is no UUID": lambda: signed(sub="root"),
    "brings its own key": lambda: signed(headers={"jwk": {"kty": "RSA"}}),
    "points to a key": lambda: signed(headers={"jku": "http://127.0.0.1/keys"}),
    "critical extension": lambda: signed(headers={"crit": ["exp"]}),
    "cut off": lambda: signed()[:-9],
    "changed payload": lambda: ".".join(
        [signed().split(".")[0], signed(sub=str(uuid4())).split(".")[1], signed().split(".")[2]]
    ),
    "huge": lambda: signed(more="x" * 9000),
    "no token": lambda: "hello",
    "empty": lambda: "",
    "dots": lambda: "..",
    "deep": lambda: raw({"alg": "RS256"}, {}) + "[" * 5000,
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_of_a_wrong_kind_names_nobody(verifier, attack):
    with pytest.raises(Unauthenticated):
        await verifier.verify(ATTACKS[attack]())


@pytest.mark.parametrize("roles", [None, "user", {"user": 1}, [], ["root"], [["user"]]])
async def test_roles_of_a_wrong_form_are_no_roles(verifier, roles):
    assert (await verifier.verify(signed(roles=roles))).roles == frozenset()


async def test_thirty_seconds_of_leeway_are_given_and_no_more_also_to_a_remembered_token(verifier, clock):
    token = signed(exp=NOW.timestamp())
    for seconds in (0, 29):
        clock.now = NOW + timedelta(seconds=seconds)
        assert (await verifier.verify(token)).user_id == USER
    clock.now = NOW + timedelta(seconds=30)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_only_so_many_tokens_are_remembered(verifier, monkeypatch):
    monkeypatch.setattr("gameshelf.gateway.identity.verifier._MAX_CACHED", 3)
    for _ in range(5):
        await verifier.verify(signed(sub=str(uuid4())))
    assert len(verifier._verified) == 3


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())])
def test_a_weak_or_foreign_key_is_refused_at_the_start(tmp_path, key):
    path = tmp_path / "keys.pem"
    path.write_bytes(pem(key))
    with pytest.raises(ValueError, match="key"):
        PemKeys(path)


@pytest.fixture
def jwks():
    """A JWKS server on the loopback address, whose keys can be changed."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            body = json.dumps({"keys": self.server.keys}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    server.asked, server.keys = 0, []
    server.publish = lambda **keys: setattr(
        server,
        "keys",
        [{**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"} for kid, key in keys.items()],
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_new_key_of_a_jwks_is_asked_for_and_a_flood_of_unknown_ones_is_not(jwks, clock, monkeypatch):
    jwks.publish(a=RSA_KEY)
    keys = RemoteKeys(f"http://127.0.0.1:{jwks.server_address[1]}/keys")
    verifier = TokenVerifier(keys, "issuer", "library", clock)
    assert (await verifier.verify(signed(headers={"kid": "a"}))).user_id == USER
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(OTHER_RSA, headers={"kid": f"b{number}"}))
    assert jwks.asked == 1

    monkeypatch.setattr("gameshelf.gateway.identity.remote_keys.REFRESH_SECONDS", 0)
    jwks.publish(a=RSA_KEY, b=OTHER_RSA)
    assert (await verifier.verify(signed(OTHER_RSA, headers={"kid": "b"}))).user_id == USER


async def test_a_withdrawn_key_is_taken_no_more_also_for_a_remembered_token(jwks, clock, monkeypatch):
    jwks.publish(a=RSA_KEY)
    verifier = TokenVerifier(RemoteKeys(f"http://127.0.0.1:{jwks.server_address[1]}/"), "issuer", "library", clock)
    token = signed(headers={"kid": "a"})
    await verifier.verify(token)
    jwks.publish(c=OTHER_RSA)
    monkeypatch.setattr("gameshelf.gateway.identity.remote_keys.MAX_AGE_SECONDS", 0)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_known_keys_stay_in_use_while_the_jwks_is_away(jwks, clock, monkeypatch):
    jwks.publish(a=RSA_KEY)
    keys = RemoteKeys(f"http://127.0.0.1:{jwks.server_address[1]}/")
    verifier = TokenVerifier(keys, "issuer", "library", clock)
    await verifier.verify(signed(headers={"kid": "a"}))
    keys._url = "http://127.0.0.1:9/"
    keys._asked_at = time.monotonic() - 10_000
    assert (await asyncio.wait_for(verifier.verify(signed(headers={"kid": "a"})), 10)).user_id == UUID(str(USER))
