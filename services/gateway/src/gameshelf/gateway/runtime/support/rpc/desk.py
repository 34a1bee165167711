"""What the handlers of support's commands share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.grpc.calls import parse_message
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import AuditLog
from gameshelf.gateway.runtime.support.changes import Changes, Options, Result
from gameshelf.gateway.runtime.support.export import Export
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.library import LibraryQueries
from gameshelf.protos.library.v1 import admin_change_pb2 as messages
from gameshelf.savegames import Limits

if TYPE_CHECKING:
    from gameshelf.gateway.domains.savegames.use_cases import Saves


@dataclass(frozen=True, slots=True)
class Desk:
    """Where support works: what is read, how changes are made, and the audit."""

    acquire: Acquire
    streams: UserStreams
    transactions: Transactions
    changes: Changes
    audit: AuditLog
    saves: "Saves"
    limits: Limits
    export: Export
    clock: Clock = utc_now

    @asynccontextmanager
    async def reading(self, user_id: UUID) -> AsyncIterator[Connection]:
        """A connection to read of a user. Raises UserErased."""
        async with self.acquire() as connection:
            await self.streams.state(connection, user_id)
            yield connection


def parse_options(sent: messages.ChangeOptions) -> Options:
    """How a change is asked for. Raises InvalidInput."""
    return parse_message(Options, sent)


def change_result(of: Result) -> messages.ChangeResult:
    return messages.ChangeResult(
        applied=of.audit_id is not None,
        before=encode(of.before).decode(),
        after=encode(of.after).decode(),
        revision=of.revision,
        audit_id=text(of.audit_id),
        can_undo=of.can_undo,
    )


async def titles_of(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles of those of the products that have one."""
    known = await LibraryQueries(connection).products(product_ids)
    return {product_id: title for product_id, one in known.items() if (title := one.title("en"))}
