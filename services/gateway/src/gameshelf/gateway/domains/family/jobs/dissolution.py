"""The end of an erased account's family links, and of its id with everybody who was in that family."""

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
"""So many links that can't be ended just now end the round."""
_ALL = 10_000
"""More events than ever wait for a user."""
_ANSWERS_KEPT = timedelta(hours=25)
"""Longer than an answer is kept that told another member who has the seat."""


async def has_links(connection: Connection, user_id: UUID) -> bool:
    """Whether there is a link with the account."""
    return bool(await FamilyQueries(connection).links_of(user_id, (), 1))


async def erase_seats(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes seats of an erased account; True while there may be more.

    Its links have ended: nobody has a seat on one of its copies, and nobody is told of its own seats.
    """
    return await FamilyLinks(connection, publish_nothing).forget_seats(user_id, limit)


class Dissolution:
    """Ends the links of erased accounts, each in a transaction with the users whom it concerns.

    That transaction tells the other party, ends what is played, and takes the account's id out of what they keep: a
    process that is killed has done all of it for a link or nothing, and a link that is left is what is left to do.
    """

    def __init__(
        self, acquire: Acquire, transactions: Transactions, clock: Clock = utc_now, metrics: Metrics | None = None
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock
        self._isolation = Isolation[UUID]("dissolution", metrics)

    async def dissolve(self, user_id: UUID) -> bool:
        """Ends every link of an erased account; False when some could not be ended just now.

        A link whose other party is busy is set aside, and holds up no other one.
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
                # Whoever was denied a seat was told who had it.
                since = self._clock() - _ANSWERS_KEPT
                concerned |= set(await FamilyQueries(transaction.connection).members_since(owner_id, since))
            concerned.remove(user_id)
            await _lock(transaction, concerned)
            await transaction.take_name_out(user_id, concerned)
            await transaction.take_forwarded(_ALL)
            await transaction.of(FamilyLinks).dissolve(user_id, owner_id, link_id)


async def _lock(transaction: Transaction, user_ids: Collection[UUID]) -> None:
    """Locks the rows of these users, except those who are erased themselves: of them nothing stays anyway."""
    locked = await transaction.lock_free(user_ids)
    for user_id in sorted(set(user_ids) - locked):
        try:
            await transaction.lock(user_id, wait=False)
        except UserErased:
            continue
