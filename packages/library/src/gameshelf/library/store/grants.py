"""Grants of ownership, and the tombstones of those that ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.library.models import Grant, GrantKind, Product, WantedProduct
from gameshelf.library.rules import Holding, NewGrant
from gameshelf.library.store.parts import has_title
from sqlalchemy import String, Uuid, and_, any_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_KEY = ["user_id", "product_id", "kind", "source_id"]

_new = rows(
    "new",
    product_id=("product_ids", Uuid),
    kind=("kinds", String),
    source_id=("source_ids", String),
    acquired_at=("times", TIME),
)
_insert_grants = insert(Grant).from_select([*_KEY, "acquired_at"], select(user(), *_new.c), include_defaults=False)
_said = _insert_grants.excluded.acquired_at
# A tombstone learns when its purchase was, but stays ended. Of two times for one source the earlier one holds, so that
# it does not matter which of them was heard first.
_ADD = Statement(
    _insert_grants.on_conflict_do_update(
        index_elements=_KEY,
        set_={"acquired_at": _said},
        where=or_(col(Grant.acquired_at).is_(None), col(Grant.acquired_at) > _said),
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
# Inserts a tombstone where the grant was never heard of; an end is never moved.
_END = Statement(
    _insert_ends.on_conflict_do_update(
        index_elements=_KEY,
        set_={"ended_at": _insert_ends.excluded.ended_at},
        where=col(Grant.ended_at).is_(None),
    )
)
# Only what is known: support ends what it has seen. Without a kind all of a product's.
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
    .values(ended_at=bindparam("new_ended_at", type_=TIME))
    .returning(col(Grant.kind), col(Grant.source_id), col(Grant.acquired_at))
)
_LIVE = Statement(
    select(col(Grant.product_id), col(Grant.kind), col(Grant.source_id), col(Grant.acquired_at)).where(
        col(Grant.user_id) == user(),
        col(Grant.product_id) == any_(array("product_ids", Uuid)),
        col(Grant.ended_at).is_(None),
    )
)
_WANT = Statement(
    insert(WantedProduct)
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

    async def add(self, user_id: UUID, grants: Iterable[NewGrant]) -> None:
        """Records grants; one that was ended stays ended."""
        # Latest first, so that of several times for one source the earliest is what remains.
        by_time = sorted(grants, key=lambda grant: grant.acquired_at, reverse=True)
        unique = {(grant.product_id, grant.kind, grant.source_id): grant for grant in by_time}.values()
        await _ADD.run(
            self._connection,
            user_id=user_id,
            product_ids=[grant.product_id for grant in unique],
            kinds=[grant.kind for grant in unique],
            source_ids=[grant.source_id for grant in unique],
            times=[grant.acquired_at for grant in unique],
        )

    async def end(
        self, user_id: UUID, kind: GrantKind, source_id: str, product_ids: Iterable[UUID], ended_at: datetime
    ) -> None:
        """Ends grants of one source; a tombstone stands where one was not heard of yet."""
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
        """Ends the live grants of a product, or that of one source alone; those that it ended."""
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

    async def live(self, user_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, list[Holding]]:
        """The live grants of each product; a product without any is left out."""
        found: dict[UUID, list[Holding]] = {}
        for row in await _LIVE.all(self._connection, user_id=user_id, product_ids=list(product_ids)):
            held = Holding(GrantKind(row["kind"]), row["source_id"], row["acquired_at"])
            found.setdefault(row["product_id"], []).append(held)
        return found

    async def want(self, user_id: UUID, product_ids: Sequence[UUID], now: datetime) -> None:
        """Notes those of the products whose title the Catalog has yet to tell."""
        await _WANT.run(self._connection, user_id=user_id, product_ids=product_ids, now=now)

    async def is_free(self, product_id: UUID) -> bool | None:
        """Whether a product is free to play; None when the Catalog has not spoken of it."""
        row = await _IS_FREE.first(self._connection, product_id=product_id)
        return row["is_free"] if row else None
