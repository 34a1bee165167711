"""The context that handlers of support commands share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.grpc.calls import parse_message
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import AuditLog, Entry, State
from gameshelf.gateway.runtime.support.changes import ChangeResult, Options, SupportChanges
from gameshelf.gateway.runtime.support.commands import Change, ChangeOfProduct, Commands
from gameshelf.gateway.runtime.support.export import Export
from gameshelf.gateway.runtime.support.language import current_language
from gameshelf.gateway.runtime.support.overview import UserOverview
from gameshelf.gateway.runtime.support.timeline import UserTimeline
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT
from gameshelf.protos.library.v1 import admin_change_pb2 as messages


@dataclass(frozen=True, slots=True)
class SupportContext:
    """The parts of the process that handlers of support commands use."""

    acquire: Acquire
    streams: UserStreams
    transactions: Transactions
    changes: SupportChanges
    audit: AuditLog
    commands: Commands
    overview: UserOverview
    export: Export
    product_names: MakeProductNames
    timeline: UserTimeline
    clock: Clock = utc_now

    @asynccontextmanager
    async def reading(self, user_id: UUID) -> AsyncIterator[Connection]:
        """Lends a connection to read a user's data. Raises UserErased."""
        async with self.acquire() as connection:
            await self.streams.state(connection, user_id)
            yield connection

    async def titles(self, connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Reads the titles of products in the language of the call; leaves out products without one."""
        known, language = await self.product_names(connection).products(product_ids), current_language()
        return {product_id: title for product_id, one in known.items() if (title := one.title(language))}

    async def make_change(self, change: Change, options: Options, by: Identity) -> messages.ChangeResult:
        """Makes a change, or shows its effect. Raises the errors of ``SupportChanges.make``."""
        return _result(await self.changes.make(change, options, by))

    async def change_made_before(
        self, command: str, target: State, options: Options, by: Identity
    ) -> messages.ChangeResult | None:
        """Returns the result of a change that the caller has made already, whichever user's data it has changed."""
        made = await self.changes.made_before(command, None, target, options, by)
        return _result(made) if made else None

    async def make_product_change(
        self, change: ChangeOfProduct, options: Options, by: Identity
    ) -> messages.ChangeResult:
        """Makes a change of a product's data, or shows its effect. Raises the errors of
        ``SupportChanges.make_of_product``.
        """
        return _result(await self.changes.make_of_product(change, options, by))

    async def undo_change(self, entry: Entry, options: Options, by: Identity) -> messages.ChangeResult:
        """Undoes the change of an audit entry. Raises the errors of ``SupportChanges.undo``."""
        return _result(await self.changes.undo(entry, options, by))


def parse_options(sent: messages.ChangeOptions) -> Options:
    """Parses the options of a change. Raises InvalidInput."""
    return parse_message(Options, sent)


def page_limit(asked: int) -> int:
    """Returns the number of entries on a page: the requested one within bounds, else the default."""
    return min(asked, MAX_LIMIT) if asked > 0 else DEFAULT_LIMIT


def _result(of: ChangeResult) -> messages.ChangeResult:
    return messages.ChangeResult(
        applied=of.audit_id is not None,
        before=encode(of.before).decode(),
        after=encode(of.after).decode(),
        revision=of.revision,
        audit_id=text(of.audit_id),
        can_undo=of.can_undo,
    )
