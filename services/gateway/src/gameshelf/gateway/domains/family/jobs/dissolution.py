"""Ends an erased account's family links, and removes its id from the data of everybody in that family."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.jobs.erasure import publish_nothing
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.library import FamilyLinks, FamilyQueries

_AT_ONCE = 100
_SET_ASIDE = 1000
"""A round ends after this number of links that could not be ended."""
_ALL = 10_000
"""A limit above any number of events that wait for a user."""
_ANSWERS_KEPT = timedelta(hours=25)
"""Longer than idempotency keys keep an answer that names the user who has the seat."""


async def has_links(connection: Connection, user_id: UUID) -> bool:
    """Returns whether the account has a link."""
    return bool(await FamilyQueries(connection).links_of(user_id, (), 1))


async def erase_seats(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes seats of an erased account; returns True while there may be more.

    Its links have ended, so nobody has a seat on its copies, and nobody is notified about its own seats.
    """
    return await FamilyLinks(connection, publish_nothing).delete_seats(user_id, limit)


class Dissolution:
    """Ends the links of erased accounts, each in one transaction with all affected users.

    The transaction notifies the other party, ends sessions, and removes the account's id from their data. So after a
    crash a link is either completely handled or unchanged, and the remaining links are the remaining work.
    """

    def __init__(
        self, acquire: Acquire, transactions: Transactions, clock: Clock = utc_now, metrics: Metrics | None = None
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock
        self._isolation = Isolation[UUID]("dissolution", metrics)

    async def dissolve(self, user_id: UUID) -> bool:
        """Ends every link of an erased account; returns False if some could not be ended now.

        A link whose other party's row is locked is set aside, and does not delay the others.
        """
        set_aside: set[UUID] = set()
        while len(set_aside) < _SET_ASIDE:
            async with self._acquire() as connection:
                links = await FamilyQueries(connection).links_of(user_id, set_aside, _AT_ONCE)
            if not links:
                break
            for owner_id, link_id, member_id in links:
                if not await self._try(user_id, owner_id, link_id, member_id):
                    set_aside.add(link_id)
        return not set_aside

    async def _try(self, user_id: UUID, owner_id: UUID, link_id: UUID, member_id: UUID) -> bool:
        is_ended = False
        if self._isolation.is_due(link_id):
            with self._isolation.attempt(link_id):
                await self._end(user_id, owner_id, link_id, member_id)
                is_ended = True
        return is_ended

    async def _end(self, user_id: UUID, owner_id: UUID, link_id: UUID, member_id: UUID) -> None:
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            concerned = {owner_id, member_id}
            if user_id == member_id:
                # Members who were refused a seat received the id of the user who had it.
                since = self._clock() - _ANSWERS_KEPT
                concerned |= set(await FamilyQueries(transaction.connection).members_since(owner_id, since))
            concerned.remove(user_id)
            await _lock(transaction, concerned)
            await transaction.take_name_out(user_id, concerned)
            await transaction.take_forwarded(_ALL)
            await transaction.of(FamilyLinks).dissolve(user_id, owner_id, link_id)


async def _lock(transaction: Transaction, user_ids: Collection[UUID]) -> None:
    """Locks the rows of these users, except erased ones, whose data is deleted anyway."""
    locked = await transaction.lock_free(user_ids)
    for user_id in sorted(set(user_ids) - locked):
        try:
            await transaction.lock(user_id, wait=False)
        except UserErased:
            continue
