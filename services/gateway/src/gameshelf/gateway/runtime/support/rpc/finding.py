"""``find``: what support looks for, and whose it is."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.audit import AuditLog
from gameshelf.gateway.runtime.support.finding import (
    LONGEST_SOUGHT,
    AccountSearch,
    AccountsUnavailable,
    Finder,
    FoundThing,
    Sought,
    find_letters,
    find_users,
)
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.text import is_storable
from gameshelf.protos.library.v1 import admin_finding_pb2 as messages

MOST_OF_A_KIND = 5


class Finding:
    """Serves searches over all users."""

    def __init__(
        self, context: SupportContext, finders: Sequence[Finder], search_accounts: AccountSearch | None
    ) -> None:
        self._context = context
        self._search_accounts = search_accounts
        self._finders = (find_users, *finders, _entries_of(context.audit), find_letters)

    async def Find(self, request: messages.FindRequest, by: Identity) -> messages.FindResponse:
        sought = _sought(request.sought)
        accounts, state = await self._accounts(sought)  # before a connection is taken: it may last
        async with self._context.acquire() as connection:
            found = await self._found(connection, sought, accounts)
            titles = await self._context.titles(connection, sorted({one.product_id for one in found if one.product_id}))
        shown, more = _few_of_each_kind(found)
        return messages.FindResponse(
            objects=[_message(one, titles.get(one.product_id, "") if one.product_id else "") for one in shown],
            kinds_with_more=more,
            accounts=state,
        )

    async def _accounts(self, sought: Sought) -> tuple[Sequence[FoundThing], str]:
        """Asks the Account service for what may be a name; returns the users, and ``FindResponse.accounts``."""
        if self._search_accounts is None:
            return [], "not_configured"
        if sought.ids or sought.number is not None:
            return [], "not_asked"
        try:
            return await self._search_accounts(sought.text, MOST_OF_A_KIND + 1), "answered"
        except AccountsUnavailable:
            return [], "unavailable"

    async def _found(
        self, connection: Connection, sought: Sought, accounts: Sequence[FoundThing]
    ) -> Sequence[FoundThing]:
        """Finds what there is, without what belongs to an account that is erased or being erased."""
        found = [one for one in accounts if not (one.user_id and await self._is_erased(connection, one.user_id))]
        for finder in self._finders:
            found += await finder(connection, sought, MOST_OF_A_KIND + 1)
        users = {user for one in found for user in (one.user_id, one.other_user_id) if user}
        erased = await self._context.streams.being_erased(connection, users) if users else frozenset()
        return [one for one in found if not erased & {one.user_id, one.other_user_id}]

    async def _is_erased(self, connection: Connection, user_id: UUID) -> bool:
        """Whether an account of the Account service is erased here: it may have no rows left that show it."""
        return await self._context.streams.erased(connection, user_id) is not None


def _entries_of(audit: AuditLog) -> Finder:
    async def find_entry(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
        """Finds the audit entry with this number. Two round trips."""
        entry = None if sought.number is None else await audit.find_entry(connection, sought.number)
        if entry is None:
            return []
        return [
            FoundThing(
                kind="audit_entry",
                id=str(entry.id),
                user_id=entry.user_id,
                name=entry.command,
                state=entry.kind,
                created_at=entry.happened_at,
            )
        ]

    return find_entry


def _sought(sent: str) -> Sought:
    """Checks what was sent. Raises InvalidInput."""
    sought = sent.strip()
    if not sought:
        raise InvalidInput(Problem("missing", pointer="sought"))
    if len(sought) > LONGEST_SOUGHT:
        raise InvalidInput(Problem("string_too_long", pointer="sought", params={"max_length": LONGEST_SOUGHT}))
    if not is_storable(sought):
        raise InvalidInput(Problem("text_forbidden_character", pointer="sought"))
    return Sought.of(sought)


def _few_of_each_kind(found: Sequence[FoundThing]) -> tuple[list[FoundThing], list[str]]:
    """Returns the first of each kind, and the kinds that have more."""
    numbers: Counter[str] = Counter()
    shown = []
    for one in found:
        numbers[one.kind] += 1
        if numbers[one.kind] <= MOST_OF_A_KIND:
            shown.append(one)
    return shown, [kind for kind, number in numbers.items() if number > MOST_OF_A_KIND]


def _message(of: FoundThing, title: str) -> messages.FoundObject:
    return messages.FoundObject(
        kind=of.kind,
        id=of.id,
        user_id=text(of.user_id),
        other_user_id=text(of.other_user_id),
        product_id=text(of.product_id),
        title=title,
        name=of.name,
        state=of.state,
        created_at=timestamp(of.created_at),
        parent_id=text(of.parent_id),
        products=of.products,
    )
