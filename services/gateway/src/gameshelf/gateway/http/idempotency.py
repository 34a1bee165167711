"""``Idempotency-Key``: the first response to a POST again, kept in the transaction of the change that it guards."""

import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from gameshelf.gateway.errors import IdempotencyKeyReused
from gameshelf.gateway.http.json_values import values_hash
from gameshelf.gateway.http.reply import Reply
from gameshelf.gateway.tables import IdempotencyRecord
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.errors import InvalidInput, Problem
from sqlalchemy import LargeBinary, SmallInteger, String, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

KEPT = timedelta(hours=24)
"""For how long a key answers its first response."""

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
# A key older than a day, which the clean-up has not come to yet, counts as new.
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=["user_id", "endpoint", "key"],
        set_={
            "request_hash": _insert.excluded.request_hash,
            "values_hash": _insert.excluded.values_hash,
            "status": _insert.excluded.status,
            "body": _insert.excluded.body,
            "created_at": func.now(),
        },
    )
)


@dataclass(frozen=True, slots=True)
class Guard:
    """One use of a key. The caller holds the user's lock, so a twin waits here until the first one is through."""

    user_id: UUID
    endpoint: str
    key: str
    request_hash: bytes
    """Of the bytes of the body: the release before knows no other. A later release can drop it."""
    values_hash: bytes | None
    """Of what the body says; None for one that is no JSON."""

    @classmethod
    def of(cls, user_id: UUID, endpoint: str, key: str, body: bytes) -> "Guard":
        """Raises InvalidInput for a key that is not 1 to 255 printable ASCII characters."""
        if not _VALID.fullmatch(key):
            raise InvalidInput(Problem("bad_idempotency_key"))
        return cls(user_id, endpoint[:500], key, sha256(body).digest(), values_hash(body))

    def keeps(self, reply: Reply) -> bool:
        """Whether a reply is the answer to the key from now on; another one may be different next time."""
        return self.values_hash is not None and reply.status not in _NEVER_KEPT and reply.status < 500

    async def replay(self, connection: Connection) -> Reply | None:
        """The first response, or None when this is the first request. Raises IdempotencyKeyReused."""
        kept = await _FIND.first(connection, user_id=self.user_id, endpoint=self.endpoint, key=self.key)
        if kept is None:
            return None
        same_values = kept["values_hash"] is not None and kept["values_hash"] == self.values_hash
        if not same_values and kept["request_hash"] != self.request_hash:
            raise IdempotencyKeyReused
        return Reply(kept["status"], kept["body"], {"Idempotency-Replayed": "true"})

    async def keep(self, connection: Connection, reply: Reply) -> None:
        """Keeps the response in the running transaction."""
        await _KEEP.run(
            connection,
            user_id=self.user_id,
            endpoint=self.endpoint,
            key=self.key,
            request_hash=self.request_hash,
            values_hash=self.values_hash,
            status=reply.status,
            body=reply.body,
        )
