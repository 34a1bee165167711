"""``Idempotency-Key``: a use case runs once per key, and its response is kept in the transaction of its change."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.errors import IdempotencyKeyReused
from gameshelf.gateway.runtime.http.json_values import values_hash
from gameshelf.gateway.runtime.http.reply import Reply
from gameshelf.gateway.runtime.http.routing import RestWork, Write
from gameshelf.gateway.runtime.tables import IdempotencyRecord
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from sqlalchemy import LargeBinary, SmallInteger, String, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

KEPT = timedelta(hours=24)
"""How long a key returns its first response."""

MAX_KEPT_BYTES = 64 * 1024
"""Responses up to this size are kept whole; of larger ones, and of those with secrets, an excerpt is kept."""
_BRIEF = b'{"brief":'
_NEVER_KEPT = frozenset({202, 401, 429})
_VALID = re.compile(r"[\x21-\x7e]{1,255}")

_FIND = Statement(
    select(
        col(IdempotencyRecord.request_hash),
        col(IdempotencyRecord.values_hash),
        col(IdempotencyRecord.status),
        col(IdempotencyRecord.body),
    ).where(
        col(IdempotencyRecord.user_id) == bindparam("user_id", type_=Uuid),
        col(IdempotencyRecord.endpoint) == bindparam("endpoint", type_=String),
        col(IdempotencyRecord.key) == bindparam("key", type_=String),
        col(IdempotencyRecord.created_at) > func.now() - KEPT,
    )
)
_insert = insert(IdempotencyRecord).values(
    user_id=bindparam("user_id", type_=Uuid),
    endpoint=bindparam("endpoint", type_=String),
    key=bindparam("key", type_=String),
    request_hash=bindparam("request_hash", type_=LargeBinary),
    values_hash=bindparam("values_hash", type_=LargeBinary),
    status=bindparam("status", type_=SmallInteger),
    body=bindparam("body", type_=LargeBinary),
)
# An expired key that retention has not deleted yet counts as new.
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "endpoint", "key"],
        set_={
            "request_hash": _insert.excluded.request_hash,
            "values_hash": _insert.excluded.values_hash,
            "status": _insert.excluded.status,
            "body": _insert.excluded.body,
            "created_at": _insert.excluded.created_at,
        },
    )
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Describes the part that is kept of a successful response that is larger than 64 KiB or has secrets."""

    extract: Callable[[Any], Any]
    """Returns the part of the document from which, with the body of the request, the document can be made again."""
    restore: Callable[[Write, Any], Awaitable[Any]]
    """Makes the document again: ``async def restore(write, excerpt)``, in the transaction of the repeated call."""
    is_secret: bool = False
    """Whether the response contains secrets, such as a signed URL, and so must not be stored even if it is small."""


def results_of(document: Any) -> Any:
    """Extracts the results of a list without their ids, which the request has in the same order."""
    return {"brief": [[one["attributes"]["result"], one["attributes"]["code"]] for one in document["data"]]}


def results_excerpt(requested: Sequence[Any], render: Callable[..., Any]) -> Excerpt:
    """Returns the excerpt for a list with one result per element of the request: ``render(element, result, code)``."""

    async def restore(write: Write, excerpt: Any) -> Any:
        return {"data": [render(one, *result) for one, result in zip(requested, excerpt["brief"], strict=True)]}

    return Excerpt(results_of, restore)


def identity_of(document: Any) -> Any:
    """Extracts the type and id of a resource."""
    return {"data": {name: document["data"][name] for name in ("type", "id")}}


def kept_of(reply: Reply, excerpt: Excerpt | None = None) -> bytes:
    """Returns the part of a response's body that is kept: all of it, or an excerpt if it is large or has secrets.

    If that exceeds ``MAX_KEPT_BYTES``, only the first error is kept, or nothing.
    """
    body = reply.body
    if excerpt and reply.status < 300 and (excerpt.is_secret or len(body) > MAX_KEPT_BYTES):
        body = encode(excerpt.extract(decode(body)))
    if len(body) <= MAX_KEPT_BYTES:
        return body
    errors = decode(reply.body).get("errors", ())
    first = [{name: one[name] for name in ("code", "title", "detail")} for one in errors[:1]]
    return encode({"errors": first} if first else {"data": None})


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """One use of a key. The caller holds the user's lock, so a concurrent request with the same key waits for it."""

    user_id: UUID
    endpoint: str
    key: str
    request_hash: bytes
    """Hash of the bytes of the body, the only one that the release before uses. A later release can drop it."""
    values_hash: bytes | None
    """Hash of the values in the body; None if the body is not JSON."""

    @classmethod
    def of(
        cls,
        user_id: UUID,
        endpoint: str,
        key: str,
        body: bytes,
        hash_values: Callable[[bytes], bytes | None] | None = None,
    ) -> "IdempotencyKey":
        """Makes the use of a key; ``hash_values`` is for bodies that the usual function is too slow for.

        Raises InvalidInput unless the key has 1 to 255 printable ASCII characters.
        """
        if not _VALID.fullmatch(key):
            raise InvalidInput(Problem("bad_idempotency_key"))
        return cls(user_id, endpoint[:500], key, sha256(body).digest(), (hash_values or values_hash)(body))

    def keeps(self, reply: Reply) -> bool:
        """Returns whether the key keeps a reply as its response; otherwise a repeated request runs again."""
        return self.values_hash is not None and reply.status not in _NEVER_KEPT and reply.status < 500

    def lookup(self) -> BoundStatement:
        """Returns what ``replay`` reads."""
        return _FIND.bind(user_id=self.user_id, endpoint=self.endpoint, key=self.key)

    async def replay(self, connection: Connection) -> Reply | None:
        """Returns the stored first response; None if this is the first request. Raises IdempotencyKeyReused."""
        kept = await _FIND.first(connection, user_id=self.user_id, endpoint=self.endpoint, key=self.key)
        if kept is None:
            return None
        same_values = kept["values_hash"] is not None and kept["values_hash"] == self.values_hash
        if not same_values and kept["request_hash"] != self.request_hash:
            raise IdempotencyKeyReused
        return Reply(kept["status"], kept["body"], {"Idempotency-Replayed": "true"})

    async def keep_response(self, connection: Connection, reply: Reply, excerpt: Excerpt | None = None) -> None:
        """Keeps the response, or the excerpt of it, in the running transaction."""
        await _KEEP.write(
            connection,
            user_id=self.user_id,
            endpoint=self.endpoint,
            key=self.key,
            request_hash=self.request_hash,
            values_hash=self.values_hash,
            status=reply.status,
            body=kept_of(reply, excerpt),
        )


async def answer_once(
    key: IdempotencyKey,
    write: Write,
    work: RestWork,
    refusal: Callable[[DomainError], Reply],
    excerpt: Excerpt | None = None,
) -> Reply:
    """Returns the first response to a key: the one that was kept, otherwise that of the work, which it keeps.

    A refusal that the work raises is a response too, made by ``refusal``: it is kept, and the writes of the work are
    rolled back. Runs inside of the transaction, so a repeated attempt looks the key up again: another request may have
    committed its response meanwhile. Raises IdempotencyKeyReused, and refusals that no key keeps.
    """
    transaction = write.transaction
    first = await key.replay(transaction.connection)
    if first is not None:
        transaction.discard()
        return await _restored(write, first, excerpt)
    try:
        async with transaction.savepoint():
            reply = await work(write)
    except DomainError as error:
        reply = refusal(error)
        if not key.keeps(reply):
            raise
        transaction.discard()
    if key.keeps(reply):
        await key.keep_response(transaction.connection, reply, excerpt)
    return reply


async def refuse_once(key: IdempotencyKey, write: Write, reply: Reply) -> Reply:
    """Returns the first response to a key: the one that was kept, otherwise a refusal from before the transaction,
    which it keeps. Raises IdempotencyKeyReused.
    """
    transaction = write.transaction
    transaction.discard()
    first = await key.replay(transaction.connection)
    if first is not None:
        return first
    await key.keep_response(transaction.connection, reply)
    return reply


async def _restored(write: Write, first: Reply, excerpt: Excerpt | None) -> Reply:
    if excerpt is None or first.status >= 300 or not (excerpt.is_secret or first.body.startswith(_BRIEF)):
        return first
    return Reply(first.status, encode(await excerpt.restore(write, decode(first.body))), first.headers)
