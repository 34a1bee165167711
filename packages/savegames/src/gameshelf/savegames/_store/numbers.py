"""The highest version number assigned under each name. It is kept after the saves of that name are deleted."""

from typing import Any

from gameshelf.kernel.sql import user
from gameshelf.savegames._limits import MAX_NUMBERS
from gameshelf.savegames._models import SavegameNumber, SavegameScan
from gameshelf.savegames._store.expressions import KEY, NAME, PRODUCT, S
from sqlalchemy import BigInteger, bindparam, cast, delete, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

RESTORED = "restored"
"""The row of ``savegame_scans`` with the time of the last restore from a backup."""

_N = SavegameNumber
OTHER_NAMES = ""
"""In place of a folded name: all names beyond ``MAX_NUMBERS``, which share one number."""


def highest_number() -> Any:
    """The highest number assigned under the name in ``NAME`` and ``KEY`` to saves that were deleted or are in the
    trash; 0 if there is none. After a restore it is at least the Unix time of the restore, since the numbers assigned
    after the backup are not known.
    """
    trashed = select(func.max(col(S.last_version))).where(
        col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_not(None), is_named()
    )
    # A save without a folded name left its number under its own name.
    kept = select(func.max(col(_N.last_version))).where(
        col(_N.user_id) == user(), col(_N.product_id) == PRODUCT, col(_N.slot_key).in_([KEY, NAME, OTHER_NAMES])
    )
    restored = select(cast(func.floor(func.extract("epoch", col(SavegameScan.started_at))), BigInteger)).where(
        col(SavegameScan.name) == RESTORED
    )
    return func.greatest(
        literal_column("0"), trashed.scalar_subquery(), kept.scalar_subquery(), restored.scalar_subquery()
    )


def is_named() -> Any:
    """The condition that a slot has the name in ``NAME``, or one with the same folded name ``KEY``."""
    return or_(col(S.slot_name) == NAME, col(S.slot_key) == KEY)


def noting(removed: Any) -> Any:
    """Stores the numbers of deleted slots. ``removed`` is the CTE of a DELETE that returns them."""
    found = select(
        removed.c.user_id,
        removed.c.product_id,
        func.coalesce(removed.c.slot_key, removed.c.slot_name),
        removed.c.last_version,
    )
    new = insert(SavegameNumber).from_select(
        ["user_id", "product_id", "slot_key", "last_version"], found, include_defaults=False
    )
    return new.on_conflict_do_update(
        index_elements=["user_id", "product_id", "slot_key"],
        set_={"last_version": func.greatest(col(_N.last_version), new.excluded.last_version)},
    )


_beyond = (
    select(col(_N.slot_key))
    .where(col(_N.user_id) == user(), col(_N.product_id) == PRODUCT, col(_N.slot_key) != literal(OTHER_NAMES))
    .order_by(col(_N.last_version).desc(), col(_N.slot_key))
    .offset(literal_column(str(MAX_NUMBERS)))
)
_forgotten = (
    delete(SavegameNumber)
    .where(col(_N.user_id) == user(), col(_N.product_id) == PRODUCT, col(_N.slot_key).in_(_beyond))
    .returning(col(_N.last_version))
    .cte("forgotten")
)
_highest = select(func.max(_forgotten.c.last_version).label("last_version")).subquery("highest")
_together = insert(SavegameNumber).from_select(
    ["user_id", "product_id", "slot_key", "last_version"],
    select(user(), PRODUCT, literal(OTHER_NAMES), _highest.c.last_version).where(_highest.c.last_version.is_not(None)),
    include_defaults=False,
)
forgetting = _together.on_conflict_do_update(
    index_elements=["user_id", "product_id", "slot_key"],
    set_={"last_version": func.greatest(col(_N.last_version), _together.excluded.last_version)},
)
"""Merges the numbers of a product beyond ``MAX_NUMBERS`` into one, so that the rows of a user are bounded."""

LAST_VERSION = bindparam("last_version", type_=BigInteger)
note_one = insert(SavegameNumber).values(user_id=user(), product_id=PRODUCT, slot_key=KEY, last_version=LAST_VERSION)
note_one = note_one.on_conflict_do_update(
    index_elements=["user_id", "product_id", "slot_key"],
    set_={"last_version": func.greatest(col(_N.last_version), note_one.excluded.last_version)},
)
"""Stores the number of a save that is renamed."""
