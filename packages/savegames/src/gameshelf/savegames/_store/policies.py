"""The policies of products. They belong to no user; consumed events and support write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows
from gameshelf.savegames._set_models import SavegamePolicy
from gameshelf.savegames._store.expressions import NOW
from sqlalchemy import (
    BigInteger,
    String,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """The policy of a product, as it is stored."""

    product_id: UUID
    revision: int
    source: str
    """``catalog`` or ``community``; ``default``: it was removed."""
    policy: str
    """JSON in snake case, without its defaults."""
    said_at: datetime
    """When its source stated it."""


_P = SavegamePolicy
_given = rows(
    "given",
    product_id=("product_ids", Uuid),
    revision=("revisions", BigInteger),
    source=("sources", String),
    policy=("policies", Text),
    said_at=("said_ats", TIME),
    changed_at=("changed_ats", TIME),
)
_insert = insert(SavegamePolicy).from_select(
    ["product_id", "revision", "source", "policy", "said_at", "changed_at"],
    select(
        _given.c.product_id,
        _given.c.revision,
        _given.c.source,
        cast(_given.c.policy, JSONB),
        _given.c.said_at,
        _given.c.changed_at,
    ),
    include_defaults=False,
)
_new = _insert.excluded
_is_same = _new.policy == col(_P.policy)
_same_or_next = case((_is_same, col(_P.revision)), else_=col(_P.revision) + literal_column("1"))
_APPLY = Statement(
    _insert.on_conflict_do_update(
        index_elements=["product_id"],
        set_={
            # A client compares the revision alone, so a policy that differs has a higher one.
            "revision": func.greatest(_new.revision, _same_or_next),
            "source": _new.source,
            "policy": _new.policy,
            "said_at": _new.said_at,
            "changed_at": case((_is_same, col(_P.changed_at)), else_=_new.changed_at),
        },
        where=_new.said_at >= col(_P.said_at),
    )
)
_PRODUCT = bindparam("product_id", type_=Uuid)
_of_product = select(
    col(_P.product_id),
    col(_P.revision),
    col(_P.source),
    cast(col(_P.policy), Text).label("policy"),
    col(_P.said_at),
).where(col(_P.product_id) == _PRODUCT)
_FIND = Statement(_of_product)
_FIND_AND_LOCK = Statement(_of_product.with_for_update())
_STORED_POLICY = RowReader(StoredPolicy, _FIND, _FIND_AND_LOCK)
_LOCK = Statement(select(func.pg_advisory_xact_lock(func.hashtextextended(cast(_PRODUCT, Text), literal(0)))))
_REMOVED: Any = literal_column("'default'")
_REMOVE = Statement(
    update(SavegamePolicy)
    .where(col(_P.product_id) == _PRODUCT, col(_P.source) != _REMOVED)
    .values(
        revision=col(_P.revision) + 1,
        source=_REMOVED,
        policy=cast(literal_column("'{}'"), JSONB),
        said_at=NOW,
        changed_at=NOW,
    )
)


class PolicyTable:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def apply(self, policies: Sequence[StoredPolicy], now: datetime) -> None:
        """Stores policies of different products, unless a later one of the product is stored."""
        # In the order of the keys, so that two instances never wait for each other's rows in a circle.
        ordered = sorted(policies, key=lambda one: one.product_id)
        await _APPLY.run(
            self._connection,
            product_ids=[one.product_id for one in ordered],
            revisions=[one.revision for one in ordered],
            sources=[one.source for one in ordered],
            policies=[one.policy for one in ordered],
            said_ats=[one.said_at for one in ordered],
            changed_ats=[now] * len(ordered),
        )

    async def find(self, product_id: UUID) -> StoredPolicy | None:
        """Returns the stored policy of a product."""
        return _STORED_POLICY.read_optional(await _FIND.first(self._connection, product_id=product_id))

    async def lock(self, product_id: UUID) -> None:
        """Takes the lock of a product's policy, also where there is none, until the transaction ends. Events don't take
        it: they wait for the row only.
        """
        await _LOCK.run(self._connection, product_id=product_id)

    async def find_and_lock(self, product_id: UUID) -> StoredPolicy | None:
        """Returns the stored policy of a product, and locks its row."""
        return _STORED_POLICY.read_optional(await _FIND_AND_LOCK.first(self._connection, product_id=product_id))

    async def remove(self, product_id: UUID, now: datetime) -> None:
        """Replaces the policy of a product with the default one. The row stays, and counts the revisions on."""
        await _REMOVE.run(self._connection, product_id=product_id, now=now)
