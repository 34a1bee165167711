"""Calls of REST: their common context, and actions, which work outside of their transaction too."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.errors import ErrorTable, Language
from gameshelf.gateway.runtime.http.idempotency import Excerpt, IdempotencyKey, answer_once, refuse_once
from gameshelf.gateway.runtime.http.page_cache import PageCache
from gameshelf.gateway.runtime.http.reply import Reply, ok, render_refusal
from gameshelf.gateway.runtime.http.routing import Queries, Read, RestWork, Write
from gameshelf.gateway.runtime.observability.traces import current_trace_id
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallContext:
    """Dependencies of every call. ``acquire`` provides a connection for a read."""

    acquire: Acquire
    streams: UserStreams
    transactions: Transactions
    pages: PageCache
    queries: Queries
    errors: ErrorTable
    clock: Clock = utc_now

    async def read(
        self, connection: Connection, user_id: UUID, language: Language, if_none_match: str | None = None
    ) -> Read:
        """Returns a read over a connection. Raises UserErased."""
        state = await self.streams.state(connection, user_id)
        return Read(connection, user_id, state, language, if_none_match, self.pages, self.clock(), self.queries)

    def refusal(self, error: DomainError, language: Language) -> Reply:
        """Returns the error envelope."""
        return render_refusal(error, language, current_trace_id(), self.errors)


@dataclass(frozen=True, slots=True)
class RestAction:
    """One call of a user. Its handler decides which steps run in the transaction, and which before or after it."""

    user_id: UUID
    language: Language
    context: CallContext
    key: IdempotencyKey | None = None
    if_match: str | None = None
    if_none_match: str | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        """Opens a connection for a read, and reads the state of the user. Raises UserErased."""
        async with self.context.acquire() as connection:
            yield await self.context.read(connection, self.user_id, self.language, self.if_none_match)

    async def answer(self, work: RestWork, excerpt: Excerpt | None = None, opening: Opening = LOCKED) -> Reply:
        """Runs the work in a transaction, and returns its reply after the commit. Work that loses a race is repeated.
        For a repeated Idempotency-Key the first response is returned without running the work.

        ``excerpt`` describes the part that the key keeps of a response that is too large or secret. ``opening`` names
        what the work reads first. Raises UserErased, IdempotencyKeyReused, and the errors of the work unless the key
        keeps them as its response.
        """

        async def attempt(transaction: Transaction) -> Reply:
            write = self._write(transaction)
            if self.key is None:
                return await work(write)
            return await answer_once(self.key, write, work, self.refusal, excerpt)

        if self.key is not None:
            opening = replace(opening, lookups=[self.key.lookup(), *opening.lookups])
        return await self.context.transactions.run(self.user_id, attempt, opening)

    async def answer_afterwards(
        self,
        work: Callable[[Write], Awaitable[T]],
        respond: Callable[[T], Awaitable[Any]],
        kept: Callable[[T], Any],
        renew: Callable[[Write, Any], Awaitable[T]],
    ) -> Reply:
        """Runs the work in a transaction, and after the commit makes its document, which needs calls of the network:
        the URLs of an object store, for example. A connection never waits for them.

        ``kept`` returns the part of the result that the Idempotency-Key keeps. For a repeated key ``renew`` makes the
        result of that part, in the transaction of the repeated call, and ``respond`` makes the document again. Raises
        what `answer` does, and the errors of ``respond``; the result is committed then, and a repetition finds it.
        """
        results: list[T] = []

        async def begin(write: Write) -> Reply:
            results[:] = [await work(write)]
            return ok(kept(results[0]))

        async def restore(write: Write, excerpt: Any) -> Any:
            results[:] = [await renew(write, excerpt)]
            return excerpt

        reply = await self.answer(begin, Excerpt(lambda document: document, restore, is_secret=True))
        if reply.status >= 300:
            return reply
        return Reply(reply.status, encode(await respond(results[0])), reply.headers)

    async def first_response(self) -> Reply | None:
        """Returns the first response to the call's Idempotency-Key, for handlers that work before their transaction."""
        key = self.key
        if key is None:
            return None
        async with self.context.acquire() as connection:
            await self.context.streams.state(connection, self.user_id)
            return await key.replay(connection)

    async def refuse(self, error: DomainError) -> Reply:
        """Returns the reply of a call that is refused before its transaction. An Idempotency-Key keeps it too."""
        reply, key = self.refusal(error), self.key
        if key is None or not key.keeps(reply):
            return reply
        return await self.context.transactions.run(
            self.user_id, lambda transaction: refuse_once(key, self._write(transaction), reply)
        )

    def refusal(self, error: DomainError) -> Reply:
        """Returns the error envelope, in the language of the call."""
        return self.context.refusal(error, self.language)

    def _write(self, transaction: Transaction) -> Write:
        context = self.context
        return Write(transaction, self.language, context.queries, context.errors, self.if_match, self.if_none_match)
