"""The answers that are kept for an Idempotency-Key contain no secret, and at most 64 KiB."""

import json
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.http.idempotency import MAX_KEPT_BYTES, kept_of, results_excerpt
from gameshelf.gateway.runtime.http.reply import Reply, ok
from gameshelf.gateway.wiring import ROUTES

WIDE = "\U0001f3ae" * 97
"""The common part of ids of a client that are as long as ids may be."""
TIMES = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T01:00:00Z"}


@pytest.fixture
async def kept_for(platform):
    """Returns the bodies that the table has for a player."""
    connection = await asyncpg.connect(platform.dsn)

    async def bodies(player):
        rows = await connection.fetch("SELECT body FROM gateway.idempotency_keys WHERE user_id = $1", player.id)
        return [row["body"] for row in rows]

    yield bodies
    await connection.close()


def ids(count):
    return [f"{WIDE}{number:03}" for number in range(count)]


LARGE = {
    "/items/bulk": lambda: {"items": [{"id": str(uuid4()), "is_hidden": True} for _ in range(500)]},
    "/playtime/sessions/import": lambda: {
        "sessions": [{"client_session_id": one, "product_id": str(uuid4()), **TIMES} for one in ids(99)]
        + [{"client_session_id": "\u0001" * 100}]
    },
    "/achievements/import": lambda: {
        "achievements": [
            {
                "client_id": one,
                "achievement_id": str(uuid4()),
                "unlocked": True,
                "happened_at": "2026-01-01T00:00:00Z",
            }
            for one in ids(99)
        ]
        + [{"client_id": "\u0001" * 100}]
    },
}
"""Requests whose answer has more than 64 KiB, of each call that answers a list."""


@pytest.mark.parametrize(("path", "attributes"), LARGE.items(), ids=["bulk", "sessions", "achievements"])
async def test_a_large_answer_is_made_again_of_its_results(player, kept_for, path, attributes):
    body = attributes()
    first = await player.post(path, body, **{"Idempotency-Key": "k"})
    assert (first.status_code, len(first.content) > MAX_KEPT_BYTES) == (200, True)
    [kept] = await kept_for(player)
    assert len(kept) < len(first.content) // 3
    again = await player.post(path, body, **{"Idempotency-Key": "k"})
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_every_list_of_results_keeps_less_than_itself():
    assert {route.path for route in ROUTES if route.takes_key and is_list(route)} == LARGE.keys()


def is_list(route):
    return route.answers is not None and route.answers.definition["properties"]["data"].get("type") == "array"


@pytest.mark.parametrize("status", [200, 400])
def test_nothing_larger_is_ever_kept(status):
    entry = {"code": "C", "title": "T", "detail": "D", "source": {"pointer": "/" + "x" * 1000}}
    documents = {
        200: [{"data": {"type": "t", "id": "1", "attributes": {"text": "x" * MAX_KEPT_BYTES}}}],
        400: [{"errors": [entry] * 100, "meta": {"trace_id": "t"}}],
    }
    for document in documents[status]:
        reply = ok(document, status=status)
        assert len(kept_of(reply)) < 1000
    assert json.loads(kept_of(ok(documents[400][0], status=400)))["errors"][0]["code"] == "C"


def test_a_small_answer_is_kept_as_it_was():
    reply = Reply(200, b'{"data":[]}')
    assert kept_of(reply, results_excerpt([], dict)) == reply.body
    assert kept_of(Reply(204)) == b""
