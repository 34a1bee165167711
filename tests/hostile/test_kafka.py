"""Mutations of every consumed event, each followed by valid events of others, which must be applied.

The mutations are what broken, careless or malicious producers may put on a topic. They are seeded, so repeatable.
"""

import asyncio
import copy
import json
from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.kafka.consumed import EventSubject
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.wiring import CONSUMED

SEED = 12
MAX_BYTES = 900_000
"""Brokers accept records of this size by default."""
_EACH = 10
"""After so many mutations comes a valid event, in the same partition."""


VALUES = (
    None,
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\u0000" * 2000,
    "\u202e",
    "\ufeff",
    "a" + "\u0301\u0316" * 3000,
    "x" * 100_000,
    "ё" * 501,
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "2026-02-30T00:00:00Z",
    "infinity",
    "-infinity",
    "'; DROP TABLE gateway.inbox; --",
    "%s%n${jndi:ldap://localhost}",
    0,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    1.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    True,
    False,
    [],
    {},
    [[]],
    [None] * 1500,
    [{}] * 1500,
    {"": ""},
    {"\u0000": "\u0000"},
    {"ru": "\u0000", "en": []},
    {"$ref": "#"},
)
BROKEN = (b"\\ud800", b"\\udfff\\ud800", b"\\u0000", b"\\x", b"\\u12", b"\xed\xa0\x80", b"\xff", b"\xc0\x80")
KEYS = (None, b"", b"\x00", b"\xff", b"k" * 5000, "\u0000".encode())


def _paths(node, path=()):
    """Every place in a document."""
    if path:
        yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _paths(child, (*path, name))


def _holder(document, path):
    for name in path[:-1]:
        document = document[name]
    return document


def _replace(document, pick):
    path = pick.choice(list(_paths(document)))
    _holder(document, path)[path[-1]] = copy.deepcopy(pick.choice(VALUES))
    return _text(document)


def _remove(document, pick):
    path = pick.choice(list(_paths(document)))
    del _holder(document, path)[path[-1]]
    return _text(document)


def _repeat(document, pick):
    path = pick.choice([path for path in _paths(document) if isinstance(path[-1], str)])
    value = _holder(document, path)[path[-1]]
    many = [value] * pick.choice((2, 1001, 2001))
    _holder(document, path)[path[-1]] = many if not isinstance(value, list) else value * pick.choice((2, 600, 1001))
    return _text(document)


def _nest(document, pick):
    deep = pick.choice((50, 500, 20_000))
    path = pick.choice([path for path in _paths(document) if isinstance(path[-1], str)])
    _holder(document, path)[path[-1]] = "@"
    return _text(document).replace(b'"@"', b"[" * deep + b"]" * deep, 1)


def _escape(document, pick):
    """A part of a string as an escape that stands for no character, or for one that no database holds."""
    path = pick.choice([path for path in _paths(document) if isinstance(path[-1], str)])
    _holder(document, path)[path[-1]] = "@"
    broken = pick.choice(
        (b"\\ud800", b"\\udfff\\ud800", b"\\u0000", b"\\x", b"\\u12", b"\xed\xa0\x80", b"\xff", b"\xc0\x80")
    )
    return _text(document).replace(b'"@"', b'"' + broken + b'"', 1)


def _cut(document, pick):
    text = _text(document)
    return text[: pick.randrange(len(text))]


def _flip(document, pick):
    text = bytearray(_text(document))
    for _ in range(pick.randint(1, 8)):
        text[pick.randrange(len(text))] = pick.choice((0, 0x22, 0x5C, 0x7B, 0x80, 0xFF, pick.randrange(256)))
    return bytes(text)


def _wrap(document, pick):
    text = _text(document)
    return pick.choice(
        (
            b"",
            b"\x00" + text,
            text + b"\x00",
            b"\xef\xbb\xbf" + text,
            text + text,
            b"[" + text + b"]",
            json.dumps(text.decode()).encode(),
            text.decode().encode("utf-16"),
            b"\x00\x00\x00\x00\x01" + text,
            text.replace(b'"data"', b'"data": {"userId": "\\u0000"}, "data"', 1),
        )
    )


_KINDS = (
    _replace, _replace, _replace, _replace, _remove, _repeat, _nest, _escape, _escape, _cut, _flip, _wrap
)  # fmt: skip


def mutations(document, pick, count):
    """Key and value of records that are nearly the document: mutated once or, some of them, twice."""
    for _ in range(count):
        mutated = copy.deepcopy(document)
        if pick.random() < 0.3:
            path = pick.choice(list(_paths(mutated)))
            _holder(mutated, path)[path[-1]] = copy.deepcopy(pick.choice(VALUES))
        key = pick.choice(KEYS) if pick.random() < 0.2 else b"the same partition"
        yield key, pick.choice(_KINDS)(mutated, pick)[:MAX_BYTES]


def _text(document):
    return json.dumps(document, ensure_ascii=False).encode()


def valid(kind):
    """Data of a type, with every field that it may have."""
    user, product, now = str(uuid4()), str(uuid4()), datetime.now(UTC).isoformat()
    about = {"userId": user, "productId": product, "timestamp": now}
    definition = {
        "id": str(uuid4()),
        "apiName": "FIRST",
        "name": {"ru": "Первый", "en": "First"},
        "description": {"ru": "…", "en": "…"},
        "iconUrlLocked": "https://localhost/l.png",
        "iconUrlUnlocked": "https://localhost/u.png",
        "isHidden": False,
        "targetProgress": 10,
        "serverAuthoritative": False,
    }
    fields = {
        "purchase": {
            "userId": user,
            "orderId": f"order-{uuid4()}",
            "items": [{"productId": str(uuid4()), "productType": "game", "quantity": 1} for _ in range(2)],
            "purchaseTimestamp": now,
        },
        "key": {**about, "keyId": f"key-{uuid4()}"},
        "gift": {**about, "giftId": f"gift-{uuid4()}"},
        "product": {
            "productId": product,
            "updatedFields": ["title"],
            "newTitle": {"ru": "Лёд", "en": "Ice"},
            "newCoverImageUrl": "https://localhost/c.png",
            "productType": "game",
            "isFreeToPlay": False,
            "familySharingAllowed": True,
            "achievements": [definition, {**definition, "id": str(uuid4()), "apiName": "SECOND"}],
            "timestamp": now,
        },
        "price": {
            "productId": product,
            "priceMinor": 100,
            "oldPriceMinor": 200,
            "currency": "RUB",
            "discountPercent": 50,
            "saleId": f"sale-{uuid4()}",
            "saleEndsAt": now,
            "timestamp": now,
        },
        "review": {**about, "rating": 5, "reviewId": str(uuid4())},
        "user": {"userId": user, "deletedAt": now},
    }
    name = kind.removeprefix("com.platform.").split(".")[1]
    return fields.get(name) or {**about, "versionId": "1.0", "status": "installed", "deviceId": "d"}


def event(kind):
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "hostile",
        "type": kind,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": valid(kind),
    }


@pytest.fixture
async def database(hostile_platform):
    connection = await asyncpg.connect(hostile_platform.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def producer(hostile_platform):
    made = AIOKafkaProducer(bootstrap_servers=hostile_platform.kafka.address, max_request_size=4 * 1024 * 1024)
    await made.start()
    yield made
    await made.stop()


async def attack(kind, count, producer, database, target):
    """Sends mutations of a type and valid events between them; waits until all of the latter are applied."""
    [consumed, *_] = CONSUMED.by_type[kind]
    topic, pick = consumed.topic, Random(f"{SEED} {kind}")
    partition = sorted(await producer.partitions_for(topic))[0]
    good = []
    for number, (key, value) in enumerate(mutations(event(kind), pick, count), 1):
        await producer.send(topic, value, key=key, partition=partition)
        if number % _EACH == 0 or number == count:
            good.append(event(kind))
            await producer.send(topic, json.dumps(good[-1]).encode(), key=b"the same partition", partition=partition)
    await producer.flush()

    async def are_applied():
        if consumed.subject is EventSubject.ACCOUNT_END:
            streams = UserStreams(target.environment["ERASURE_HASH_KEY"].encode())
            hashes = [streams.hash(UUID(one["data"]["userId"])) for one in good]
            found = await database.fetchval(
                "SELECT count(*) FROM gateway.erased_users WHERE user_hash = ANY($1)", hashes
            )
        else:
            query = "SELECT count(*) FROM gateway.inbox WHERE source = 'hostile' AND event_id = ANY($1)"
            found = await database.fetchval(query, [one["id"] for one in good])
        return found == len(good)

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await are_applied():
            await asyncio.sleep(0.1)
        while await database.fetchval("SELECT count(*) FROM gateway.deferred_records"):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", CONSUMED.by_type)
async def test_mutations_of_an_event_stop_nobody(kind, producer, database, target):
    await attack(kind, 40, producer, database, target)


@pytest.mark.long
@pytest.mark.parametrize("kind", CONSUMED.by_type)
async def test_five_hundred_mutations_of_an_event_stop_nobody(kind, producer, database, target):
    await attack(kind, 500, producer, database, target)
