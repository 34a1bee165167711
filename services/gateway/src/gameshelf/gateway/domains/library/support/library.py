"""``library list|grant|revoke``: the products that a user owns, and their grants."""

from gameshelf.gateway.domains.library.changes import GrantProduct, RevokeProduct, undo_grant, undo_revoke
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ADMIN, change_command, read_command
from gameshelf.gateway.runtime.support.language import current_language
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, page_limit, parse_options
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import MAX_PAGE, Page
from gameshelf.library import GrantKind, GrantView, HeldProduct, LibrarySupportQueries, OrderFactView
from gameshelf.protos.library.v1 import admin_library_pb2 as messages

COMMANDS = (
    read_command("library list", "ListLibrary"),
    change_command("library grant", "GrantProduct", ADMIN, undo_grant, frozenset({"source_id"})),
    change_command("library revoke", "RevokeProduct", ADMIN, undo_revoke),
)


class Libraries:
    """Serves libraries."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListLibrary(self, request: messages.ListLibraryRequest, by: Identity) -> messages.ListLibraryResponse:
        user_id = parse_id(request.user_id, "user_id")
        products = [parse_id(request.product_id, "product_id")] if request.product_id else None
        limit = page_limit(request.limit)
        page = Page(min(max(request.page, 1), MAX_PAGE), limit)
        async with self._context.reading(user_id) as connection:
            found = await LibrarySupportQueries(connection).library(user_id, page, products, current_language())
        return messages.ListLibraryResponse(items=[_item(one) for one in found.items], total_items=found.total)

    async def GrantProduct(self, request: messages.GrantProductRequest, by: Identity) -> messages.GrantProductResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        change = GrantProduct(user_id, parse_id(request.product_id, "product_id"))
        return messages.GrantProductResponse(result=await self._context.make_change(change, options, by))

    async def RevokeProduct(
        self, request: messages.RevokeProductRequest, by: Identity
    ) -> messages.RevokeProductResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        change = RevokeProduct(user_id, parse_id(request.product_id, "product_id"), _source(request))
        return messages.RevokeProductResponse(result=await self._context.make_change(change, options, by))


def _source(request: messages.RevokeProductRequest) -> tuple[GrantKind, str] | None:
    """Returns the source of the grant; None for all grants. Raises InvalidInput."""
    if not (request.kind or request.source_id):
        return None
    if not (request.kind and request.source_id):
        raise InvalidInput(Problem("missing", pointer="source_id" if request.kind else "kind"))
    if request.kind not in frozenset(GrantKind):
        raise InvalidInput(Problem("enum", pointer="kind", params={"expected": ", ".join(GrantKind)}))
    if "\0" in request.source_id:
        raise InvalidInput(Problem("text_forbidden_character", pointer="source_id"))
    return GrantKind(request.kind), request.source_id


def _item(of: HeldProduct) -> messages.AdminLibraryItem:
    item = of.item
    return messages.AdminLibraryItem(
        product_id=str(of.product_id),
        library_item_id=str(item.id) if item else "",
        title=text(of.title(current_language())),
        product_type=text(of.product_type),
        access=of.access.reason,
        added_at=timestamp(of.access.acquired_at),
        acquisition_type=text(of.access.access_type),
        shared_from_user_id=text(of.access.shared_from_user_id),
        is_hidden=bool(item and item.is_hidden),
        installation_status=item.installation_status if item else "",
        installed_version_id=text(item and item.installed_version_id),
        total_playtime_seconds=item.total_playtime_seconds if item else 0,
        last_played_at=timestamp(item.last_played_at if item else None),
        grants=[grant(one) for one in of.grants],
    )


def grant(of: GrantView) -> messages.AdminGrant:
    return messages.AdminGrant(
        kind=of.kind,
        source_id=of.source_id,
        acquired_at=timestamp(of.acquired_at),
        ended_at=timestamp(of.ended_at),
        quantity=of.quantity,
        copies_left=of.copies_left,
        ended_by=text(of.ended_by),
        facts=[_fact(one) for one in of.facts],
    )


def _fact(of: OrderFactView) -> messages.AdminOrderFact:
    return messages.AdminOrderFact(
        kind=of.kind,
        fact_id=of.fact_id,
        quantity=of.quantity,
        occurred_at=timestamp(of.occurred_at),
        heard_at=timestamp(of.created_at),
    )
