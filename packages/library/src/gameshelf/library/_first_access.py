"""When a user could first play a product, by any right: offline play since then may be reported.

Grants are never deleted, and a link keeps when it was accepted, also after it has ended; so the time follows from them.
``first_accesses`` has the times that no longer follow: they are written before a change overwrites the time or scope
of a link, or deletes the link. So it costs a purchase and a new link nothing, and no time is stored twice.

These are decisions on plain values: no I/O, no clock. ``_store/first_accesses.py`` has the SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gameshelf.library._family.rules import Scope
from gameshelf.library._models import LinkStatus


class AcceptedLink(Protocol):
    """What decides since when a link gave access. Times are aware."""

    @property
    def status(self) -> str: ...

    @property
    def scope(self) -> Scope: ...

    @property
    def expires_at(self) -> datetime | None: ...

    @property
    def active_since(self) -> datetime | None: ...

    @property
    def updated_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class GrantTimes:
    """A grant of an owner, even one that has ended."""

    product_id: UUID
    acquired_at: datetime
    ended_at: datetime | None
    forbidden_at: datetime | None
    """When the Catalog forbade sharing the product; None while it does not."""


def first_accesses(link: AcceptedLink, grants: Iterable[GrantTimes]) -> dict[UUID, datetime]:
    """Returns since when a link, even one that has ended, gave access to copies of its owner, by product."""
    first: dict[UUID, datetime] = {}
    if link.active_since is None:
        return first
    scope = link.scope
    link_ended = link.expires_at if link.status == LinkStatus.ACTIVE else link.updated_at
    for grant in grants:
        began = max(grant.acquired_at, link.active_since)
        # Until the Catalog forbade it the copy was shared.
        ends = [end for end in (grant.ended_at, link_ended, grant.forbidden_at) if end is not None]
        if scope.covers(grant.product_id) and all(began < end for end in ends):
            first[grant.product_id] = min(began, first.get(grant.product_id, began))
    return first
