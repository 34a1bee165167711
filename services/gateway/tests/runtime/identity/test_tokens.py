"""Tokens: every invalid kind is refused, and a valid one is accepted."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from gameshelf.gateway.runtime.identity import InvalidCredentials, PemKeys, Role, TokenVerifier
from gameshelf.gateway.runtime.identity.verifier import FORGET_SECONDS

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


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def made(header, payload, sign=lambda _: b""):
    """A token of any content, which a library for tokens would refuse to make."""
    signed_part = b".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    return (signed_part + b"." + base64url(sign(signed_part))).decode()


def truly_signed(header=None, **changed):
    """A token that only its content makes wrong."""
    return made(
        {"alg": "RS256", **(header or {})}, claims(**changed), lambda part: RSA_KEY.sign(part, PKCS1v15(), SHA256())
    )


def hs256_with_the_public_key():
    return made({"alg": "HS256"}, claims(), lambda part: hmac.new(pem(RSA_KEY), part, hashlib.sha256).digest())


def with_payload_of_another():
    header, _, signature = signed().split(".")
    return ".".join([header, signed(sub=str(uuid4())).split(".")[1], signature])


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
    identity = await verifier.verify(signed(key, algorithm, roles=["user", "no such role", 5]))
    assert identity.user_id == USER
    assert identity.roles == {Role.USER}


# Each attack with the reason for which it must fail, so that none fails for another one.
ATTACKS = {
    "expired": (lambda: signed(exp=(NOW - timedelta(seconds=31)).timestamp()), "expired"),
    "not valid yet": (lambda: signed(nbf=(NOW + timedelta(seconds=31)).timestamp()), "not valid yet"),
    "no expiry": (lambda: signed(exp=None), "MissingRequiredClaim"),
    "expiry as text": (lambda: truly_signed(exp="99999999999"), "exp is not a number"),
    "expiry as true": (lambda: truly_signed(exp=True), "exp is not a number"),
    "expiry as a list": (lambda: truly_signed(exp=[99999999999]), "exp is not a number"),
    "expiry that is not a number": (lambda: truly_signed(exp=float("nan")), "exp is out of range"),
    "infinite expiry": (lambda: truly_signed(exp=float("inf")), "exp is out of range"),
    "expiry beyond the calendar": (lambda: truly_signed(exp=10**30), "exp is out of range"),
    "expiry before the calendar": (lambda: truly_signed(exp=-62135596800), "expired"),
    "beginning as text": (lambda: truly_signed(nbf="0"), "nbf is not a number"),
    "beginning at the end of the calendar": (lambda: truly_signed(nbf=253402300799), "not valid yet"),
    "unsigned": (lambda: made({"alg": "none"}, claims()), "no known key"),
    "unsigned, in capitals": (lambda: made({"alg": "NoNe"}, claims()), "no known key"),
    "without a signature": (lambda: made({"alg": "RS256"}, claims()), "no known key"),
    "no algorithm": (lambda: made({}, claims()), "no known key"),
    "HS256 with the public key": (hs256_with_the_public_key, "no known key"),
    "RS256 by another key": (lambda: signed(OTHER_RSA), "no known key"),
    "RS512": (lambda: signed(RSA_KEY, "RS512"), "no known key"),
    "PS256": (lambda: signed(RSA_KEY, "PS256"), "no known key"),
    "another audience": (lambda: signed(aud="payments"), "InvalidAudience"),
    "audience of an odd form": (lambda: truly_signed(aud={"library": 1}), "InvalidAudience"),
    "no audience": (lambda: signed(aud=None), "MissingRequiredClaim"),
    "another issuer": (lambda: signed(iss="somebody"), "InvalidIssuer"),
    "issuer as a list": (lambda: truly_signed(iss=["issuer"]), "InvalidIssuer"),
    "no issuer": (lambda: signed(iss=None), "MissingRequiredClaim"),
    "no user": (lambda: signed(sub=None), "MissingRequiredClaim"),
    "user is no UUID": (lambda: signed(sub="root"), "sub is not a UUID"),
    "user is a number": (lambda: truly_signed(sub=5), "InvalidSubject"),
    "user in another form of a UUID": (lambda: signed(sub=f"urn:uuid:{USER}"), "sub is not a UUID"),
    "brings its own key": (lambda: truly_signed({"jwk": {"kty": "RSA"}}), "its own key"),
    "points to a key": (lambda: truly_signed({"jku": "http://127.0.0.1/keys"}), "its own key"),
    "points to a certificate": (lambda: truly_signed({"x5u": "http://127.0.0.1/certificate"}), "its own key"),
    "critical extension": (lambda: truly_signed({"crit": ["exp"]}), "no token"),
    "detached payload": (lambda: truly_signed({"b64": False}), "no token"),
    "key id of an odd form": (lambda: truly_signed({"kid": 1}), "no token"),
    "type of a logout token": (lambda: signed(headers={"typ": "logout+jwt"}), "another type"),
    "type of a proof of possession": (lambda: signed(headers={"typ": "dpop+jwt"}), "another type"),
    "encrypted type": (lambda: signed(headers={"typ": "JWE"}), "another type"),
    "type as a list": (lambda: truly_signed({"typ": ["JWT"]}), "another type"),
    "type that is null": (lambda: truly_signed({"typ": None}), "another type"),
    "empty type": (lambda: truly_signed({"typ": ""}), "another type"),
    "cut off": (lambda: signed()[:-10], "no known key"),
    "cut off within a letter": (lambda: signed()[:-9], "no token"),
    "payload of another": (with_payload_of_another, "no known key"),
    "payload is a list": (
        lambda: made({"alg": "RS256"}, [claims()], lambda part: RSA_KEY.sign(part, PKCS1v15(), SHA256())),
        "DecodeError",
    ),
    "huge": (lambda: signed(more="x" * 9000), "too long"),
    "no token": (lambda: "hello", "no token"),
    "empty": (lambda: "", "no token"),
    "dots": (lambda: "..", "no token"),
    "not ASCII": (lambda: "\ud800.ключ." + "я" * 20, "no token"),
    "deep header": (lambda: base64url(b"[" * 4000).decode() + ".e30.", "no token"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_of_a_wrong_kind_names_nobody(verifier, attack):
    make, reason = ATTACKS[attack]
    token = make()
    with pytest.raises(InvalidCredentials, match=reason) as refused:
        await verifier.verify(token)
    assert token == "" or token not in str(refused.value)


async def test_a_token_with_the_right_content_is_accepted(verifier):
    assert (await verifier.verify(truly_signed())).user_id == USER


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_a_token_may_say_that_it_is_an_access_token(verifier, kind):
    assert (await verifier.verify(truly_signed({"typ": kind}))).user_id == USER


@pytest.fixture
def checks(verifier, monkeypatch):
    """Counts the checks of signatures."""
    counted = []
    decode = jwt.decode
    monkeypatch.setattr(
        "gameshelf.gateway.runtime.identity.verifier.jwt.decode", lambda *a, **k: counted.append(1) or decode(*a, **k)
    )
    return counted


@pytest.mark.parametrize(
    "make", [lambda: signed(OTHER_RSA), lambda: signed(exp=NOW.timestamp() - 60), lambda: signed(aud="payments")]
)
async def test_a_refused_token_is_not_checked_again_and_again(verifier, checks, make):
    token = make()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await verifier.verify(token)
    assert len(checks) == 1


async def test_a_refused_token_is_checked_again_later_and_with_new_keys(verifier, checks, monkeypatch):
    token, now = signed(OTHER_RSA), [0.0]
    monkeypatch.setattr(verifier, "_monotonic", lambda: now[0])

    async def refused():
        with pytest.raises(InvalidCredentials):
            await verifier.verify(token)
        return len(checks)

    assert [await refused(), await refused()] == [1, 1]
    now[0] = FORGET_SECONDS
    assert [await refused(), await refused()] == [2, 2]
    verifier._keys.generation += 1
    assert await refused() == 3


async def test_a_token_that_was_not_valid_yet_is_taken_once_it_is(verifier, clock):
    token = signed(nbf=(NOW + timedelta(seconds=31)).timestamp())
    with pytest.raises(InvalidCredentials, match="not valid yet"):
        await verifier.verify(token)
    clock.now = NOW + timedelta(seconds=1)
    assert (await verifier.verify(token)).user_id == USER


async def test_only_so_many_refused_tokens_are_remembered(verifier, monkeypatch):
    monkeypatch.setattr("gameshelf.gateway.runtime.identity.verifier._MAX_CACHED", 3)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await verifier.verify(signed(OTHER_RSA, sub=str(uuid4())))
    assert len(verifier._refused) == 3


@pytest.mark.parametrize(("known", "key", "algorithm"), [(EC_KEY, RSA_KEY, "RS256"), (RSA_KEY, EC_KEY, "ES256")])
async def test_a_key_takes_no_other_algorithm_than_its_own(tmp_path, clock, known, key, algorithm):
    (tmp_path / "keys.pem").write_bytes(pem(known))
    verifier = TokenVerifier(PemKeys(tmp_path / "keys.pem"), "issuer", "library", clock)
    with pytest.raises(InvalidCredentials, match="no known key"):
        await verifier.verify(signed(key, algorithm))


@pytest.mark.parametrize("audience", ["library", ["payments", "library"]])
async def test_the_audience_may_be_one_of_several(verifier, audience):
    assert (await verifier.verify(signed(aud=audience))).user_id == USER


@pytest.mark.parametrize("roles", [None, "user", {"user": 1}, [], ["root"], [["user"]]])
async def test_roles_of_a_wrong_form_are_no_roles(verifier, roles):
    assert (await verifier.verify(signed(roles=roles))).roles == frozenset()


async def test_the_leeway_is_thirty_seconds_for_cached_tokens_too(verifier, clock):
    token = signed(exp=NOW.timestamp())
    for seconds in (0, 29):
        clock.now = NOW + timedelta(seconds=seconds)
        assert (await verifier.verify(token)).user_id == USER
    clock.now = NOW + timedelta(seconds=30)
    with pytest.raises(InvalidCredentials):
        await verifier.verify(token)


async def test_a_token_may_begin_thirty_seconds_ahead_of_our_clock(verifier):
    assert (await verifier.verify(signed(nbf=(NOW + timedelta(seconds=30)).timestamp()))).user_id == USER


async def test_only_so_many_tokens_are_remembered(verifier, monkeypatch):
    monkeypatch.setattr("gameshelf.gateway.runtime.identity.verifier._MAX_CACHED", 3)
    for _ in range(5):
        await verifier.verify(signed(sub=str(uuid4())))
    assert len(verifier._verified) == 3


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())])
def test_a_weak_or_foreign_key_is_refused_at_the_start(tmp_path, key):
    path = tmp_path / "keys.pem"
    path.write_bytes(pem(key))
    with pytest.raises(ValueError, match="key"):
        PemKeys(path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", b"\xff\x00"])
def test_a_file_without_a_key_is_refused_at_the_start(tmp_path, content):
    path = tmp_path / "keys.pem"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        PemKeys(path)
