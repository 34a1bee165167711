"""Refusals in the audit. Each one is counted; repeated ones of a caller share an entry, which bounds the table."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from gameshelf.gateway.runtime.identity import Identity, Role
from gameshelf.gateway.runtime.support.audit import AuditLog, NewEntry
from gameshelf.kernel.database import Connection

IN_FULL = 10
"""Number of refusals per caller, minute and instance with an entry of their own; later ones share one entry."""
_WINDOW_SECONDS = 60.0
_STAFF = frozenset({Role.SUPPORT, Role.ADMIN})
_MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Recent:
    """The refusals of a caller since ``since``; ``shared`` is the id of the entry that counts the later ones."""

    since: float
    count: int = 0
    shared: int | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class RefusalAudit:
    """Writes refusals to the audit; those of a player or a service take at most eleven rows per minute and instance.

    They are about nobody, and have nothing of the request: anyone with a token may name any user in it, would fill the
    timeline of that user, and an erasure could not find the id where it is only a text. Each refusal of support and
    admins has its own entry: they are few, and may be evidence.
    """

    def __init__(self, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._recent: dict[UUID, _Recent] = {}

    async def add_refusal(self, connection: Connection, by: Identity, refusal: NewEntry) -> None:
        """Writes a refusal: as its own entry, or by increasing ``refusals`` in the target of a shared one."""
        if by.roles & _STAFF:
            await self._audit.add_entry(connection, by, refusal)
            return
        refusal = replace(refusal, user_id=None, target={}, reason=None, ticket=None, batch_id=None)
        recent = self._of(by.user_id)
        recent.count += 1
        if recent.count <= IN_FULL:
            await self._audit.add_entry(connection, by, refusal)
            return
        async with recent.turn:
            if recent.shared is not None:
                await self._audit.count_refusal(connection, recent.shared)
                return
            shared = replace(refusal, target={"refusals": 1})
            recent.shared = await self._audit.add_entry(connection, by, shared)

    def _of(self, caller: UUID) -> _Recent:
        now = self._clock()
        recent = self._recent.get(caller)
        if recent is None or now - recent.since >= _WINDOW_SECONDS:
            self._recent.pop(caller, None)  # so that the first one is always the oldest
            while len(self._recent) >= _MOST_CALLERS:
                del self._recent[next(iter(self._recent))]
            recent = self._recent[caller] = _Recent(now)
        return recent
