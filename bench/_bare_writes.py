"""The floor of writes: bare Quart routes that change the rows which the service changes, in one statement each.

They check nothing: not the token, not the access to the game, not the body. ``Bench-User`` says who asks.
"""

import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from _serving import serve
from quart import Quart, Response, request

TOPIC = "com.platform.library.events.v1"
POOL = 16
"""As many connections as the service has."""

HEAD = """
WITH head AS (
    INSERT INTO gateway.user_streams AS kept (user_id, version, last_sequence) VALUES ($1, 1, 1)
    ON CONFLICT (user_id) DO UPDATE SET version = kept.version + 1, last_sequence = kept.last_sequence + 1
    RETURNING last_sequence
), messages AS (
    INSERT INTO gateway.feed (user_id, sequence, message) SELECT $1, last_sequence, $2 FROM head
), records AS (
    INSERT INTO gateway.outbox (user_id, shard, topic, record_key, value) VALUES ($1, 0, $3, $1::text, $4)
)
"""
SETTINGS = f"""{HEAD}
INSERT INTO settings.game_specific_settings AS kept
    (user_id, product_id, settings_payload, revision, account_revision, counted_revision, last_updated_at,
     last_synced_with_cloud_at)
VALUES ($1, $5, $6::text::jsonb, 1, 1, 1, $7, $7)
ON CONFLICT (user_id, product_id) DO UPDATE SET
    settings_payload = excluded.settings_payload, revision = kept.revision + 1,
    account_revision = kept.revision + 1, counted_revision = kept.revision + 1,
    last_updated_at = excluded.last_updated_at, last_synced_with_cloud_at = excluded.last_synced_with_cloud_at
RETURNING revision
"""
WISH = f"""{HEAD}
INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at) VALUES ($1, $6, $5, $7)
RETURNING added_at
"""

app = Quart(__name__)
pool: asyncpg.Pool


@app.before_serving
async def connect() -> None:
    global pool
    pool = await asyncpg.create_pool(sys.argv[3], min_size=POOL, max_size=POOL)


def parameters(user: UUID, kind: str, payload: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    """Those of the statement's head: the message to the devices, and the event."""
    at = now.isoformat()
    message = {"event_type": kind, "id": "1", "timestamp": at, "payload": payload}
    event = {"specversion": "1.0", "id": str(uuid4()), "source": "platform.library-service", "type": kind, "time": at}
    return user, orjson.dumps(message).decode(), TOPIC, orjson.dumps({**event, "subject": str(user), "data": payload})


def answer(kind: str, number: str, attributes: dict[str, Any], status: int) -> Response:
    document = {"data": {"type": kind, "id": number, "attributes": attributes}}
    return Response(orjson.dumps(document), status, content_type="application/json")


@app.put("/api/v1/library/settings/<uuid:product_id>")
async def settings(product_id: UUID) -> Response:
    now, user = datetime.now(UTC), UUID(request.headers["Bench-User"])
    given = orjson.loads(await request.get_data())["data"]["attributes"]["settings_payload"]
    payload = {"product_id": str(product_id), "layer": "account", "is_deleted": False, "updated_at": now.isoformat()}
    head = parameters(user, "settings.updated", payload, now)
    revision = await pool.fetchval(SETTINGS, *head, product_id, orjson.dumps(given).decode(), now)
    shown = {"product_id": str(product_id), "settings_payload": given, "revision": revision, "last_updated_at": now}
    return answer("gameSettings", str(product_id), shown, 200)


@app.post("/api/v1/library/wishlist/items")
async def wish() -> Response:
    now, user, item = datetime.now(UTC), UUID(request.headers["Bench-User"]), uuid4()
    product = orjson.loads(await request.get_data())["data"]["attributes"]["product_id"]
    payload = {"wishlist_item_id": str(item), "product_id": product, "added_at": now.isoformat()}
    head = parameters(user, "wishlist.item.added", payload, now)
    await pool.fetchval(WISH, *head, UUID(product), item, now)
    return answer("wishlistItem", str(item), {"product_id": product, "added_at": now}, 201)


serve(app, sys.argv[1], int(sys.argv[2]))
