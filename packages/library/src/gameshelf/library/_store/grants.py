"""Grants of ownership, and the tombstones of those that ended."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, prefixed, rows, user
from gameshelf.library._models import EndedBy, Grant, GrantKind, MissingProduct, OrderFact, OrderFactKind, Product
from gameshelf.library._rules import Holding, NewGrant, OrderAdjustment, StoredGrant
from gameshelf.library._store.expressions import has_title
from sqlalchemy import BigInteger, String, Uuid, and_, any_, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_KEY = ["user_id", "product_id", "kind", "source_id"]

_new = rows(
    "new",
    product_id=("product_ids", Uuid),
    kind=("kinds", String),
    source_id=("source_ids", String),
    acquired_at=("times", TIME),
    quantity=("quantities", BigInteger),
)
_insert_grants = insert(Grant).from_select(
    [*_KEY, "acquired_at", "quantity"], select(user(), *_new.c), include_defaults=False
)
_received_grants = _insert_grants.excluded
# A tombstone gets the time of its purchase, but stays ended. Of two times for one source the earlier one holds, and of
# two quantities the larger one, so that the order in which they are received does not matter.
_ADD = Statement(
    _insert_grants.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "acquired_at": func.least(col(Grant.acquired_at), _received_grants.acquired_at),
            "quantity": func.greatest(col(Grant.quantity), _received_grants.quantity),
        },
        where=or_(
            col(Grant.acquired_at).is_(None),
            col(Grant.acquired_at) > _received_grants.acquired_at,
            func.coalesce(col(Grant.quantity), literal_column("1")) < _received_grants.quantity,
        ),
    )
)
_given = rows("given", product_id=("product_ids", Uuid))
_insert_ends = insert(Grant).from_select(
    [*_KEY, "ended_at"],
    select(
        user(),
        _given.c.product_id,
        bindparam("kind", type_=String),
        bindparam("source_id", type_=String),
        bindparam("ended_at", type_=TIME),
    ),
    include_defaults=False,
)
# Inserts a tombstone where the grant was never received. An end is never moved.
_END = Statement(
    _insert_ends.on_conflict_do_update(
        index_elements=_KEY,
        set_={"ended_at": _insert_ends.excluded.ended_at},
        where=col(Grant.ended_at).is_(None),
    )
)
# Support ends grants that it has seen, so no tombstone is inserted. Without a kind it ends all grants of a product.
_END_LIVE = Statement(
    update(Grant)
    .where(
        col(Grant.user_id) == user(),
        col(Grant.product_id) == bindparam("product_id", type_=Uuid),
        col(Grant.ended_at).is_(None),
        or_(
            bindparam("kind", type_=String).is_(None),
            and_(
                col(Grant.kind) == bindparam("kind", type_=String),
                col(Grant.source_id) == bindparam("source_id", type_=String),
            ),
        ),
    )
    .values(ended_at=bindparam("new_ended_at", type_=TIME), ended_by=EndedBy.SUPPORT.value)
    .returning(col(Grant.kind), col(Grant.source_id), col(Grant.acquired_at))
)
_GRANT_COLUMNS = (
    col(Grant.product_id),
    col(Grant.kind),
    col(Grant.source_id),
    col(Grant.acquired_at),
    col(Grant.ended_at),
    col(Grant.quantity),
    col(Grant.ended_by),
)
# One row per fact of a grant; a grant without facts has one row without a fact.
_OF_PRODUCTS = Statement(
    select(
        *_GRANT_COLUMNS,
        *prefixed("fact_", (col(getattr(OrderFact, field.name)) for field in fields(OrderAdjustment))),
    )
    .outerjoin(
        OrderFact,
        and_(
            col(OrderFact.user_id) == user(),
            col(OrderFact.product_id) == col(Grant.product_id),
            col(OrderFact.source_id) == col(Grant.source_id),
            col(Grant.kind) == GrantKind.ORDER.value,
        ),
    )
    .where(
        col(Grant.user_id) == user(),
        col(Grant.product_id) == any_(array("product_ids", Uuid)),
        or_(
            col(Grant.ended_at).is_(None),
            and_(col(Grant.kind) == GrantKind.ORDER.value, col(Grant.ended_by).is_distinct_from(EndedBy.SUPPORT.value)),
        ),
    )
)
_FACT = RowReader(OrderAdjustment, _OF_PRODUCTS, prefix="fact_", convert={"kind": OrderFactKind})
_GRANT = RowReader(StoredGrant, _OF_PRODUCTS, others=(_FACT,), given=("facts",), convert={"kind": GrantKind})
_facts = rows(
    "facts",
    product_id=("product_ids", Uuid),
    source_id=("source_ids", String),
    kind=("kinds", String),
    fact_id=("fact_ids", String),
    quantity=("quantities", BigInteger),
    occurred_at=("times", TIME),
)
_insert_facts = insert(OrderFact).from_select(
    ["user_id", "product_id", "source_id", "kind", "fact_id", "quantity", "occurred_at"],
    select(user(), *_facts.c),
    include_defaults=False,
)
_received_facts = _insert_facts.excluded
# Of two times for one fact the earlier one holds, and of two quantities the larger one (null means all copies), so that
# the order in which they are received does not matter.
_ADD_FACTS = Statement(
    _insert_facts.on_conflict_do_update(
        index_elements=["user_id", "product_id", "source_id", "kind", "fact_id"],
        set_={
            "occurred_at": func.least(col(OrderFact.occurred_at), _received_facts.occurred_at),
            "quantity": case(
                (
                    and_(col(OrderFact.quantity).is_not(None), _received_facts.quantity.is_not(None)),
                    func.greatest(col(OrderFact.quantity), _received_facts.quantity),
                ),
            ),
        },
        where=or_(
            col(OrderFact.occurred_at) > _received_facts.occurred_at,
            col(OrderFact.quantity) < _received_facts.quantity,
            and_(col(OrderFact.quantity).is_not(None), _received_facts.quantity.is_(None)),
        ),
    )
)
# Inserted where the purchase was not received yet, so that the release before finds the order ended, too.
_ADD_TOMBSTONES = Statement(
    insert(Grant)
    .from_select(
        [*_KEY, "ended_at", "ended_by"],
        select(
            user(),
            _given.c.product_id,
            bindparam("kind", type_=String),
            bindparam("source_id", type_=String),
            bindparam("ended_at", type_=TIME),
            bindparam("ended_by", type_=String),
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)
_settled = rows(
    "settled",
    product_id=("product_ids", Uuid),
    source_id=("source_ids", String),
    acquired_at=("acquired_times", TIME),
    ended_at=("times", TIME),
    ended_by=("ended_by", String),
)
_insert_settled = insert(Grant).from_select(
    [*_KEY, "acquired_at", "ended_at", "ended_by"],
    select(
        user(),
        _settled.c.product_id,
        literal_column(f"'{GrantKind.ORDER.value}'"),
        _settled.c.source_id,
        _settled.c.acquired_at,
        _settled.c.ended_at,
        _settled.c.ended_by,
    ),
    include_defaults=False,
)
# The grants exist. An upsert finds each one by its key and needs no statistics, see ``_store/items.py``. The time of
# the purchase is given because the checks of the table apply to the row before the conflict is found.
_SET_ENDS = Statement(
    _insert_settled.on_conflict_do_update(
        index_elements=_KEY,
        set_={"ended_at": _insert_settled.excluded.ended_at, "ended_by": _insert_settled.excluded.ended_by},
    )
)
_NOTE_MISSING = Statement(
    insert(MissingProduct)
    .from_select(
        ["user_id", "product_id", "ask_after"],
        select(user(), _given.c.product_id, bindparam("now", type_=TIME)).where(~has_title(_given.c.product_id)),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
)
_IS_FREE = Statement(
    select(func.coalesce(Product.is_free_to_play, False).label("is_free")).where(
        col(Product.product_id) == bindparam("product_id", type_=Uuid)
    )
)


class GrantStore:
    """Grants over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_grants(self, user_id: UUID, grants: Iterable[NewGrant]) -> None:
        """Stores grants; one that was ended stays ended."""
        # Latest first, so that of several times for one source the earliest is what remains.
        by_time = sorted(grants, key=lambda grant: grant.acquired_at, reverse=True)
        unique = {(grant.product_id, grant.kind, grant.source_id): grant for grant in by_time}.values()
        is_order = [grant.kind is GrantKind.ORDER for grant in unique]
        await _ADD.run(
            self._connection,
            user_id=user_id,
            product_ids=[grant.product_id for grant in unique],
            kinds=[grant.kind for grant in unique],
            source_ids=[grant.source_id for grant in unique],
            times=[grant.acquired_at for grant in unique],
            quantities=[grant.quantity if counts else None for grant, counts in zip(unique, is_order, strict=True)],
        )

    async def add_facts(self, user_id: UUID, facts: Sequence[tuple[UUID, str, OrderAdjustment]]) -> None:
        """Stores facts of orders (product, order, fact), each once. One that is received again takes the earlier time
        and the larger quantity.
        """
        await _ADD_FACTS.run(
            self._connection,
            user_id=user_id,
            product_ids=[product_id for product_id, _, _ in facts],
            source_ids=[order_id for _, order_id, _ in facts],
            kinds=[fact.kind for _, _, fact in facts],
            fact_ids=[fact.fact_id for _, _, fact in facts],
            quantities=[fact.quantity for _, _, fact in facts],
            times=[fact.occurred_at for _, _, fact in facts],
        )

    async def add_tombstones(
        self, user_id: UUID, order_id: str, product_ids: Iterable[UUID], ended_at: datetime
    ) -> None:
        """Stores ended grants of an order's products, where there is no grant of them yet."""
        await _ADD_TOMBSTONES.run(
            self._connection,
            user_id=user_id,
            kind=GrantKind.ORDER,
            source_id=order_id,
            product_ids=sorted(set(product_ids)),
            ended_at=ended_at,
            ended_by=EndedBy.ORDER_FACTS,
        )

    async def set_ends(self, user_id: UUID, grants: Sequence[StoredGrant]) -> None:
        """Writes the ends of orders' grants, which exist; None makes a grant live."""
        await _SET_ENDS.run(
            self._connection,
            user_id=user_id,
            product_ids=[grant.product_id for grant in grants],
            source_ids=[grant.source_id for grant in grants],
            acquired_times=[grant.acquired_at for grant in grants],
            times=[grant.ended_at for grant in grants],
            ended_by=[grant.ended_by for grant in grants],
        )

    async def end_grants(
        self, user_id: UUID, kind: GrantKind, source_id: str, product_ids: Iterable[UUID], ended_at: datetime
    ) -> None:
        """Ends grants of one source, for good; inserts a tombstone for each grant that was not received yet."""
        await _END.run(
            self._connection,
            user_id=user_id,
            kind=kind,
            source_id=source_id,
            product_ids=sorted(set(product_ids)),
            ended_at=ended_at,
        )

    async def end_live(
        self, user_id: UUID, product_id: UUID, source: tuple[GrantKind, str] | None, ended_at: datetime
    ) -> list[Holding]:
        """Ends the live grants of a product, or only that of one source; returns those that it ended."""
        kind, source_id = source or (None, None)
        ended = await _END_LIVE.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            kind=kind,
            source_id=source_id,
            new_ended_at=ended_at,
        )
        return [Holding(GrantKind(row["kind"]), row["source_id"], row["acquired_at"]) for row in ended]

    @staticmethod
    def lookup(user_id: UUID, product_ids: Iterable[UUID]) -> BoundStatement:
        """Returns what ``of_products`` reads."""
        return _OF_PRODUCTS.bind(user_id=user_id, product_ids=list(product_ids))

    async def of_products(self, user_id: UUID, product_ids: Iterable[UUID]) -> list[StoredGrant]:
        """Returns the grants of these products that live, and those of orders that may live again."""
        found: dict[tuple[UUID, str, str], StoredGrant] = {}
        facts: dict[tuple[UUID, str, str], list[OrderAdjustment]] = {}
        for row in await self.lookup(user_id, product_ids).all(self._connection):
            grant = _GRANT.read(row)
            key = (grant.product_id, grant.kind, grant.source_id)
            found.setdefault(key, grant)
            if row["fact_kind"] is not None:
                facts.setdefault(key, []).append(_FACT.read(row))
        return [replace(grant, facts=facts.get(key, ())) for key, grant in found.items()]

    async def note_missing_products(self, user_id: UUID, product_ids: Sequence[UUID], now: datetime) -> None:
        """Stores those of the products whose titles the Catalog has not published yet."""
        await _NOTE_MISSING.write(self._connection, user_id=user_id, product_ids=product_ids, now=now)

    async def is_free(self, product_id: UUID) -> bool | None:
        """Whether a product is free to play; None when the Catalog has not published it."""
        row = await _IS_FREE.first(self._connection, product_id=product_id)
        return row["is_free"] if row else None
