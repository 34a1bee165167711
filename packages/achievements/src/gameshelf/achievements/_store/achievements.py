"""Writes of one user's achievements. Each statement also writes the deltas of the counters that it changes.

The caller has serialised the user, so nothing that was read before changes until it is written.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from gameshelf.achievements._attempts.store import ERASURE as ATTEMPTS_ERASURE
from gameshelf.achievements._commands import NamedAchievement
from gameshelf.achievements._models import AchievementMetadata, OwnedProduct, RarityDelta, UserAchievement
from gameshelf.achievements._store.names import ids_of
from gameshelf.achievements._views import Achievement, achievements_of_user
from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from sqlalchemy import (
    Boolean,
    Double,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_M, _U, _P = AchievementMetadata, UserAchievement, OwnedProduct

_STATES = Statement(achievements_of_user().where(col(AchievementMetadata.id) == any_(array("achievement_ids", Uuid))))
_ACHIEVEMENT = RowReader(Achievement, _STATES)


def _deltas(source: Any, *ctes: Any) -> Any:
    """Inserts deltas: product, achievement (null for the product's owners) and the change."""
    statement = insert(RarityDelta).from_select(
        ["product_id", "achievement_meta_id", "delta"], source, include_defaults=False
    )
    for cte in ctes:
        statement = statement.add_cte(cte)
    return statement


_reached = rows(
    "reached",
    id=("ids", Uuid),
    product_id=("product_ids", Uuid),
    is_unlocked=("unlocked", Boolean),
    unlocked_at=("times", TIME),
    current_progress=("currents", Integer),
    rarity_at_unlock=("rarities", Double),
    delta=("deltas", Integer),
)
_insert_reached = insert(UserAchievement).from_select(
    [
        "user_id",
        "achievement_meta_id",
        "product_id",
        "is_unlocked",
        "unlocked_at",
        "current_progress",
        "rarity_at_unlock",
    ],
    select(
        user(),
        _reached.c.id,
        _reached.c.product_id,
        _reached.c.is_unlocked,
        _reached.c.unlocked_at,
        _reached.c.current_progress,
        _reached.c.rarity_at_unlock,
    ),
    include_defaults=False,
)
_write_reached = _insert_reached.on_conflict_do_update(
    index_elements=["user_id", "achievement_meta_id"],
    set_={
        "is_unlocked": _insert_reached.excluded.is_unlocked,
        "unlocked_at": _insert_reached.excluded.unlocked_at,
        "current_progress": _insert_reached.excluded.current_progress,
        "rarity_at_unlock": _insert_reached.excluded.rarity_at_unlock,
        "updated_at": _insert_reached.excluded.updated_at,
    },
).cte("written")
_WRITE = Statement(
    _deltas(select(_reached.c.product_id, _reached.c.id, _reached.c.delta).where(_reached.c.delta != 0), _write_reached)
)
_deleted = (
    delete(UserAchievement)
    .where(col(_U.user_id) == user(), col(_U.achievement_meta_id) == bindparam("achievement_id", type_=Uuid))
    .returning(col(_U.product_id), col(_U.achievement_meta_id), col(_U.is_unlocked))
    .cte("gone")
)

_given = rows("given", product_id=("product_ids", Uuid))
_added = (
    insert(OwnedProduct)
    .from_select(["user_id", "product_id"], select(user(), _given.c.product_id), include_defaults=False)
    .on_conflict_do_nothing()
    .returning(col(_P.user_id), col(_P.product_id))
    .cte("changed")
)
_removed = (
    delete(OwnedProduct)
    .where(col(_P.user_id) == user(), col(_P.product_id) == any_(array("product_ids", Uuid)))
    .returning(col(_P.user_id), col(_P.product_id))
    .cte("changed")
)


def _owners_change(changed: Any, by: int) -> Statement:
    """Inserts the deltas of products that a user has got or lost: of the owners, and of the user's unlocks."""
    unlocked = (
        select(col(_U.product_id), col(_U.achievement_meta_id), literal(by, Integer))
        .join(changed, and_(changed.c.user_id == col(_U.user_id), changed.c.product_id == col(_U.product_id)))
        .where(col(_U.is_unlocked))
    )
    owners = select(changed.c.product_id, cast(null(), Uuid), literal(by, Integer))
    return Statement(_deltas(union_all(owners, unlocked)))


_OWN, _DISOWN = _owners_change(_added, 1), _owners_change(_removed, -1)

_LIMIT = bindparam("limit", type_=Integer)
_U_KEY = (col(_U.user_id), col(_U.achievement_meta_id))
_gone = (
    delete(UserAchievement)
    .where(tuple_(*_U_KEY).in_(select(*_U_KEY).where(col(_U.user_id) == user()).limit(_LIMIT)))
    .returning(col(_U.product_id), col(_U.achievement_meta_id), col(_U.is_unlocked))
    .cte("gone")
)


def _uncounted(gone: Any) -> Any:
    """Inserts the deltas of deleted unlocks. Only those of products that the user owns had been counted."""
    return _deltas(
        select(gone.c.product_id, gone.c.achievement_meta_id, literal(-1, Integer))
        .join(OwnedProduct, and_(col(_P.user_id) == user(), col(_P.product_id) == gone.c.product_id))
        .where(gone.c.is_unlocked)
    )


_DELETE = Statement(_uncounted(_deleted))
_ERASE_ACHIEVEMENTS = Statement(
    select(func.count().label("n")).select_from(_gone).add_cte(_uncounted(_gone).cte("deltas"))
)
_P_KEY = (col(_P.user_id), col(_P.product_id))
_left = (
    delete(OwnedProduct)
    .where(tuple_(*_P_KEY).in_(select(*_P_KEY).where(col(_P.user_id) == user()).limit(_LIMIT)))
    .returning(col(_P.product_id))
    .cte("gone")
)
_ERASE_OWNED = Statement(
    select(func.count().label("n"))
    .select_from(_left)
    .add_cte(_deltas(select(_left.c.product_id, cast(null(), Uuid), literal(-1, Integer))).cte("deltas"))
)


def lookup_states(user_id: UUID, achievement_ids: Collection[UUID]) -> BoundStatement:
    """Returns what ``AchievementStore.states`` reads."""
    return _STATES.bind(user_id=user_id, achievement_ids=list(achievement_ids))


class AchievementStore:
    """One user's achievements over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def states(self, user_id: UUID, achievement_ids: Collection[UUID]) -> dict[UUID, Achievement]:
        """Returns the achievements that exist, with the user's state."""
        found = await lookup_states(user_id, achievement_ids).all(self._connection)
        return {one.id: one for one in _ACHIEVEMENT.read_all(found)}

    async def named(self, names: Collection[NamedAchievement]) -> dict[NamedAchievement, UUID]:
        """Returns the ids of the achievements that exist; of two with one name the lower id."""
        return await ids_of(self._connection, names)

    async def write(self, user_id: UUID, reached: Sequence[Achievement], turned: Mapping[UUID, int]) -> None:
        """Writes states. ``turned`` contains the achievements that this unlocks (1) or locks (-1)."""
        await _WRITE.write(
            self._connection,
            user_id=user_id,
            ids=[one.id for one in reached],
            product_ids=[one.product_id for one in reached],
            unlocked=[one.is_unlocked for one in reached],
            times=[one.unlocked_at for one in reached],
            currents=[one.current_progress for one in reached],
            rarities=[one.rarity_at_unlock for one in reached],
            deltas=[turned.get(one.id, 0) if one.is_owned else 0 for one in reached],
        )

    async def delete_state(self, user_id: UUID, achievement_id: UUID) -> None:
        """Deletes the user's state of an achievement, as if it had never been begun."""
        await _DELETE.write(self._connection, user_id=user_id, achievement_id=achievement_id)

    async def own(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Records that the user owns these products. Those that the user already owned change nothing."""
        await _OWN.write(self._connection, user_id=user_id, product_ids=list(product_ids))

    async def disown(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Records that the user no longer owns these products."""
        await _DISOWN.write(self._connection, user_id=user_id, product_ids=list(product_ids))

    async def erase_some(self, user_id: UUID, limit: int) -> bool:
        """Deletes at most ``limit`` rows of one table. Returns whether there may be more."""
        # Achievements first: whether an unlock was counted depends on whether the product is owned.
        for statement in (_ERASE_ACHIEVEMENTS, _ERASE_OWNED):
            row = await statement.first(self._connection, user_id=user_id, limit=limit)
            if row and row["n"]:
                return True
        return await ATTEMPTS_ERASURE.erase_some(self._connection, user_id, limit)
