"""What all domains share: the row of each user, the feed, the inbox, idempotency keys, and the audit."""

from uuid import UUID

from gameshelf.gateway.runtime.outbox.messages import device_message

from _fill.binary import DAY, SECOND, Target, bigint, jsonb, moment, octets, smallint, text
from _fill.draws import between, random_id
from _fill.people import Person
from _fill.rows import Rows

STREAMS = Target("gateway.user_streams", "user_id version last_sequence pruned_sequence")
FEED = Target("gateway.feed", "user_id sequence occurred_at message")
INBOX = Target("gateway.inbox", "subject_id source event_id received_at")
KEYS = Target("gateway.idempotency_keys", "user_id endpoint key request_hash status body created_at")
AUDIT = Target("gateway.audit", "happened_at kind command actor_roles user_hash target")
SHARED_BY_ALL = (STREAMS, FEED, INBOX, KEYS, AUDIT)

ACTIVE, MOST_MESSAGES, SENDING, SUPPORTED = 0.2, 8, 0.3, 0.01
INBOX_DAYS = 30
_SOURCE, _ENDPOINT = text("payment"), text("POST /api/v1/library/categories")
_CHANGE, _GRANT, _SUPPORT = map(text, ("change", "GrantItem", "support"))


def add_gateway(rows: Rows, of: Person) -> None:
    """Adds a user's row, and what has happened to them in the last days."""
    draw = of.draw
    changes = 1 + len(of.games) + sum(len(game.sessions) for game in of.games)
    is_active = draw.random() < ACTIVE
    count = between(draw, 1, MOST_MESSAGES) if is_active and of.games else 0
    # The others have been pruned: a message is kept for a day.
    rows.add(STREAMS, of.key, bigint(changes), bigint(changes + count), bigint(changes))
    for place in range(count):
        at = of.now - (count - place) * 3600 * SECOND
        message = text(_message(of, changes + place + 1, at))
        rows.add(FEED, of.key, bigint(changes + place + 1), bigint(at), message)
    for game in of.games:
        if of.now - game.added_at < INBOX_DAYS * DAY:
            event = text(random_id(draw).hex())
            rows.add(INBOX, of.key, _SOURCE, event, bigint(game.added_at))
    if is_active and draw.random() < SENDING:
        _add_key(rows, of)
    if draw.random() < SUPPORTED:
        changed = bigint(of.now - between(draw, 1, 900) * DAY)
        rows.add(AUDIT, changed, _CHANGE, _GRANT, _SUPPORT, octets(draw.randbytes(32)), jsonb("{}"))


def _message(of: Person, sequence: int, at: int) -> str:
    game = of.games[sequence % len(of.games)]
    about = {
        "library_item_id": str(UUID(bytes=game.item_id)),
        "product_id": str(UUID(bytes=game.product.id)),
        "changes": {"total_playtime_seconds": game.played_seconds},
    }
    return device_message("library.item.updated", sequence, moment(at), about)


def _add_key(rows: Rows, of: Person) -> None:
    at = bigint(of.now - between(of.draw, 3600, 80_000) * SECOND)
    key, digest = text(random_id(of.draw).hex()), octets(of.draw.randbytes(32))
    rows.add(KEYS, of.key, _ENDPOINT, key, digest, smallint(201), octets(b'{"data":{}}'), at)
