"""What happened to a user, from all domains and from support, the newest first, page by page."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.tables import AuditRecord, DeadLetter
from gameshelf.kernel.database import Connection
from gameshelf.kernel.happenings import Happening, HappeningPlace, Happenings
from gameshelf.kernel.sql import user
from sqlalchemy import LargeBinary, Text, Uuid, bindparam, cast, func, null, select
from sqlmodel import col

_A, _D = AuditRecord, DeadLetter
OWN_TIMELINE = (
    Happenings(
        "support",
        select(
            col(_A.happened_at).label("at"),
            func.lpad(cast(col(_A.id), Text), 20, "0").label("key"),
            cast(null(), Uuid).label("product_id"),
            col(_A.id).label("audit_id"),
            col(_A.kind).label("audit_kind"),
            col(_A.command),
            col(_A.reason),
            col(_A.ticket),
            col(_A.code),
        ).where(col(_A.user_hash) == bindparam("user_hash", type_=LargeBinary)),
        in_order=True,
    ),
    Happenings(
        "dead_letter",
        select(
            col(_D.created_at).label("at"),
            cast(col(_D.id), Text).label("key"),
            cast(null(), Uuid).label("product_id"),
            col(_D.id).label("dead_letter_id"),
            col(_D.topic),
            col(_D.reason),
        ).where(col(_D.user_id) == user()),
    ),
)
"""Entries of the audit, and records that could not be applied."""


@dataclass(frozen=True, slots=True)
class UserTimeline:
    """All kinds of happenings."""

    streams: UserStreams
    kinds: Mapping[str, Happenings]
    """Kind → its reads, in the order of their names."""

    async def page(
        self,
        connection: Connection,
        user_id: UUID,
        kinds: Set[str],
        since: datetime,
        after: HappeningPlace,
        limit: int,
    ) -> Sequence[Happening]:
        """Returns the newest happenings behind a place. One round trip for each kind."""
        found: list[Happening] = []
        whose = {"user_id": user_id, "user_hash": self.streams.hash(user_id)}
        for kind, happenings in self.kinds.items():
            if kind in kinds:
                found += await happenings.read(connection, since, after, limit, **whose)
        found.sort(key=lambda one: (one.kind, one.key.encode()))
        found.sort(key=lambda one: one.at, reverse=True)
        return found[:limit]
