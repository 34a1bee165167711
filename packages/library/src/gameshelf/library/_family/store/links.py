"""All SQL that changes links, and the reads on which decisions depend.

The row of a link is stored with the owner. A change by either party locks it, and writes the member's mirror in the
same transaction; each statement is about one of the two.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, user
from gameshelf.library._family.rules import Scope
from gameshelf.library._first_access import first_accesses
from gameshelf.library._models import FamilyLink, FamilyMembership, LinkStatus
from gameshelf.library._store.first_accesses import grants_of, keep_first_accesses
from sqlalchemy import (
    ARRAY,
    Integer,
    String,
    Uuid,
    all_,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_MOST_PLAYERS = 100
_L, _M = FamilyLink, FamilyMembership


@dataclass(frozen=True, slots=True)
class Link:
    """A link between an owner and a member. Times are aware and in UTC."""

    id: UUID
    owner_user_id: UUID
    shared_with_user_id: UUID
    status: str
    mode: str
    product_ids: Sequence[UUID]
    expires_at: datetime | None
    shared_at: datetime
    active_since: datetime | None
    last_access_at: datetime | None
    created_at: datetime
    updated_at: datetime
    invited_at: Sequence[datetime] = ()
    """Only the row of the owner has it."""

    @property
    def scope(self) -> Scope:
        return Scope.from_columns(self.mode, self.product_ids)


_NAMES = [field.name for field in fields(Link)]
_MIRRORED = [name for name in _NAMES if name not in ("owner_user_id", "shared_with_user_id", "invited_at")]
LINK_COLUMNS = tuple(col(getattr(_L, name)) for name in _NAMES)
MEMBERSHIP_COLUMNS = tuple(
    col(_M.user_id).label(name) if name == "shared_with_user_id" else col(getattr(_M, name))
    for name in _NAMES
    if name != "invited_at"
)

_OWNER = bindparam("owner_id", type_=Uuid)
_LINK_ID = bindparam("link_id", type_=Uuid)
_NOW = bindparam("now", type_=TIME)
_LIVING = (LinkStatus.PENDING.value, LinkStatus.ACTIVE.value)


def is_living(link: Any, *statuses: str) -> Any:
    """Whether a link (or its mirror) has one of these statuses and has not expired."""
    # Written so that no index on the time fits: the planner is to use the key.
    return and_(has_status(link, *statuses), func.coalesce(col(link.expires_at), literal_column("'infinity'")) > _NOW)


def has_status(link: Any, *statuses: str) -> Any:
    """Whether the stored status of a link (or its mirror) is one of these."""
    # Literals, so that a partial index on some of the statuses can be used.
    return col(link.status).in_([literal_column(f"'{status}'") for status in statuses])


_LOCK_LINK = Statement(
    select(*LINK_COLUMNS).where(col(_L.owner_user_id) == _OWNER, col(_L.id) == _LINK_ID).with_for_update()
)
_LOCK_PAIR = Statement(
    select(*LINK_COLUMNS)
    .where(col(_L.owner_user_id) == _OWNER, col(_L.shared_with_user_id) == bindparam("member_id", type_=Uuid))
    .with_for_update()
)
_OWNER_OF = Statement(select(col(_M.owner_user_id)).where(col(_M.user_id) == user(), col(_M.id) == _LINK_ID))
_COUNT_LINKS = Statement(
    select(func.count().label("n"))
    .select_from(FamilyLink)
    .where(col(_L.owner_user_id) == user(), is_living(_L, *_LIVING))
)
_COUNT_MEMBERSHIPS = Statement(
    select(func.count().label("n"))
    .select_from(FamilyMembership)
    .where(col(_M.user_id) == user(), is_living(_M, LinkStatus.ACTIVE.value))
)


def _bound(name: str) -> Any:
    kinds: dict[str, Any] = {
        "id": Uuid,
        "owner_user_id": Uuid,
        "shared_with_user_id": Uuid,
        "status": String,
        "mode": String,
        "product_ids": ARRAY(Uuid),
        "invited_at": ARRAY(TIME),
    }
    return bindparam(f"new_{name}", type_=kinds.get(name, TIME))


_insert_link = insert(FamilyLink).values({name: _bound(name) for name in _NAMES})
_WRITE_LINK = Statement(
    _insert_link.on_conflict_do_update(
        index_elements=["owner_user_id", "shared_with_user_id"],
        set_={name: _insert_link.excluded[name] for name in _NAMES if name not in ("id", "created_at")},
    )
)
_mirror = insert(FamilyMembership).values(
    user_id=_bound("shared_with_user_id"),
    owner_user_id=_bound("owner_user_id"),
    **{name: _bound(name) for name in _MIRRORED},
)
_MIRROR = Statement(
    _mirror.on_conflict_do_update(
        index_elements=["user_id", "owner_user_id"],
        # The products that the member has of it are compared again.
        set_={name: _mirror.excluded[name] for name in _MIRRORED} | {"products_as_of": literal_column("NULL")},
    )
)
_NOTE_ACCESS = Statement(
    update(FamilyLink).where(col(_L.owner_user_id) == _OWNER, col(_L.id) == _LINK_ID).values(last_access_at=_NOW)
)
_OF_MIRROR = (col(_M.user_id) == user(), col(_M.owner_user_id) == _OWNER)
_NOTE_ACCESS_OF_MEMBER = Statement(update(FamilyMembership).where(*_OF_MIRROR).values(last_access_at=_NOW))
_EXPIRED = Statement(
    select(col(_L.owner_user_id), col(_L.id))
    .where(has_status(_L, *_LIVING), col(_L.expires_at) <= _NOW)
    .order_by(col(_L.expires_at))
    .limit(bindparam("limit", type_=Integer))
)

_BUT = array("but", Uuid)
_owned = select(col(_L.owner_user_id), col(_L.id), col(_L.shared_with_user_id)).where(
    col(_L.owner_user_id) == user(), col(_L.id) != all_(_BUT)
)
_joined = select(col(_M.owner_user_id), col(_M.id), col(_M.user_id)).where(
    col(_M.user_id) == user(), col(_M.id) != all_(_BUT)
)
_LINKS_OF = Statement(union_all(_owned, _joined).limit(bindparam("limit", type_=Integer)))
_MEMBERS_SINCE = Statement(
    select(col(_L.shared_with_user_id)).where(
        col(_L.owner_user_id) == _OWNER,
        col(_L.active_since).is_not(None),
        or_(has_status(_L, LinkStatus.ACTIVE.value), col(_L.updated_at) > bindparam("since", type_=TIME)),
    )
)
# A session on a shared copy ends a moment after its link, or later if the service was down; a day is more than that.
# Whether a link was ever accepted is not asked: an owner who invites the member again makes it a new one.
_PLAYERS_SINCE = Statement(
    select(col(_L.shared_with_user_id))
    .where(
        col(_L.owner_user_id) == _OWNER,
        or_(
            has_status(_L, *_LIVING),
            col(_L.updated_at) + literal_column("interval '1 day'") > bindparam("since", type_=TIME),
        ),
    )
    .order_by(col(_L.updated_at).desc())
    .limit(literal(_MOST_PLAYERS))
)
_DELETE_MIRROR = Statement(delete(FamilyMembership).where(*_OF_MIRROR))
_DELETE_LINK = Statement(
    delete(FamilyLink).where(
        col(_L.owner_user_id) == _OWNER, col(_L.shared_with_user_id) == bindparam("member_id", type_=Uuid)
    )
)

_LINK = RowReader(Link, _LOCK_LINK, _LOCK_PAIR)


class LinkStore:
    """Links over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, owner_id: UUID, link_id: UUID) -> Link | None:
        """Locks the link until the transaction ends and returns it."""
        row = await _LOCK_LINK.first(self._connection, owner_id=owner_id, link_id=link_id)
        return _LINK.read_optional(row)

    async def lock_pair(self, owner_id: UUID, member_id: UUID) -> Link | None:
        """Locks the link of a pair until the transaction ends and returns it; None if they never had one."""
        row = await _LOCK_PAIR.first(self._connection, owner_id=owner_id, member_id=member_id)
        return _LINK.read_optional(row)

    async def owner_of(self, member_id: UUID, link_id: UUID) -> UUID | None:
        """Returns the owner of a link of the member."""
        row = await _OWNER_OF.first(self._connection, user_id=member_id, link_id=link_id)
        return row["owner_user_id"] if row else None

    async def count_links(self, owner_id: UUID, now: datetime) -> int:
        """Returns how many active and pending links an owner has."""
        row = await _COUNT_LINKS.first(self._connection, user_id=owner_id, now=now)
        return row["n"] if row else 0

    async def count_memberships(self, member_id: UUID, now: datetime) -> int:
        """Returns how many active links a member has."""
        row = await _COUNT_MEMBERSHIPS.first(self._connection, user_id=member_id, now=now)
        return row["n"] if row else 0

    async def write(self, link: Link, before: Link | None = None) -> None:
        """Writes a link and its mirror. Keeps the first accesses that only the link as it was before shows.

        ``before`` was read under the lock of the link; None: the pair has none, and the owner is serialised.
        """
        if before and (before.active_since, before.scope) != (link.active_since, link.scope):
            await self._keep_first_accesses(before)
        values = {f"new_{name}": getattr(link, name) for name in _NAMES}
        values |= {name: list(values[name]) for name in ("new_product_ids", "new_invited_at")}
        await _WRITE_LINK.run(self._connection, **values)
        await _MIRROR.run(self._connection, **values)

    async def _keep_first_accesses(self, link: Link) -> None:
        if link.active_since:
            first = first_accesses(link, await grants_of(self._connection, link.owner_user_id))
            await keep_first_accesses(self._connection, link.shared_with_user_id, first)

    async def note_access(self, link: Link, now: datetime) -> None:
        """Stores that the member used the link now."""
        await _NOTE_ACCESS.run(self._connection, owner_id=link.owner_user_id, link_id=link.id, now=now)
        await _NOTE_ACCESS_OF_MEMBER.write(
            self._connection, user_id=link.shared_with_user_id, owner_id=link.owner_user_id, now=now
        )

    async def expired(self, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns owner and id of links that have expired and are not stored as ended yet."""
        found = await _EXPIRED.all(self._connection, now=now, limit=limit)
        return [(row["owner_user_id"], row["id"]) for row in found]

    async def links_of(self, user_id: UUID, but: Collection[UUID], limit: int) -> list[tuple[UUID, UUID, UUID]]:
        """Returns owner, id and member of a user's links, on either side and of any status, except some by id."""
        found = await _LINKS_OF.all(self._connection, user_id=user_id, but=list(but), limit=limit)
        return [(row["owner_user_id"], row["id"], row["shared_with_user_id"]) for row in found]

    async def members_since(self, owner_id: UUID, since: datetime) -> list[UUID]:
        """Returns the members with whom an owner shares, or has shared until after ``since``."""
        found = await _MEMBERS_SINCE.all(self._connection, owner_id=owner_id, since=since)
        return [row["shared_with_user_id"] for row in found]

    async def players_since(self, owner_id: UUID, since: datetime) -> list[UUID]:
        """Returns the members who may have played the owner's copies after ``since``; of more than 100 those whose
        links have changed last.
        """
        found = await _PLAYERS_SINCE.all(self._connection, owner_id=owner_id, since=since)
        return [row["shared_with_user_id"] for row in found]

    async def delete(self, link: Link, keep: bool) -> None:
        """Deletes a link and its mirror; ``keep`` keeps since when its member could play the shared games."""
        if keep:
            await self._keep_first_accesses(link)
        await _DELETE_LINK.run(self._connection, owner_id=link.owner_user_id, member_id=link.shared_with_user_id)
        await _DELETE_MIRROR.run(self._connection, owner_id=link.owner_user_id, user_id=link.shared_with_user_id)
