"""``saves reconcile``: adopts the saves that S3 has and a restored database lacks."""

from uuid import UUID

from gameshelf.gateway.domains.savegames.reconcile import (
    Applying,
    Cursor,
    ReconciledPage,
    Reconciliation,
    RefusedObject,
)
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ADMIN, change_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.gateway.runtime.support.rpc.cursors import pack, unpack
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.savegames import Adopted, ExpectedContent, Limits

_APPLIED, _LOOKED = "applied", "looked"


COMMANDS = (change_command("saves reconcile", "ReconcileSaves", ADMIN),)


class Reconciles:
    """Serves the comparison of the store with the database."""

    def __init__(self, context: SupportContext, saves: Saves, limits: Limits) -> None:
        self._reconciliation = Reconciliation(
            context.acquire, saves, context.transactions, context.audit, limits, context.clock
        )

    async def ReconcileSaves(
        self, request: messages.ReconcileSavesRequest, by: Identity
    ) -> messages.ReconcileSavesResponse:
        options = parse_options(request.change)
        cursor = (
            Cursor(*unpack(request.cursor, _restore, _is_applied, str, str, bytes.fromhex)) if request.cursor else None
        )
        options.require_reason()
        applying = Applying(by, options.reason, options.ticket) if options.apply and options.reason else None
        page = await self._reconciliation.page(cursor, applying)
        return _response(page, is_applied=applying is not None)


def _restore(text: str) -> UUID | None:
    return UUID(text) if text else None


def _is_applied(text: str) -> bool:
    if text not in (_APPLIED, _LOOKED):
        raise ValueError
    return text == _APPLIED


def _cursor(of: Cursor) -> str:
    applied = _APPLIED if of.is_applied else _LOOKED
    return pack(of.restore_id or "", applied, of.key, of.unfinished, of.through.hex())


def _response(page: ReconciledPage, *, is_applied: bool) -> messages.ReconcileSavesResponse:
    return messages.ReconcileSavesResponse(
        next_cursor=_cursor(page.next) if page.next else "",
        objects=page.objects,
        adopted=[_adopted(user_id, one, is_applied=is_applied) for user_id, one in page.adopted],
        missing=[_missing(one) for one in page.missing],
        refused=[_refused(one) for one in page.refused],
        is_restore_open=page.is_restore_open,
        audit_ids=map(str, page.audit_ids),
    )


def _adopted(user_id: UUID, one: Adopted, *, is_applied: bool) -> messages.ReconciledObject:
    metadata = one.object.metadata
    return messages.ReconciledObject(
        key=one.object.key,
        user_id=str(user_id),
        product_id=str(metadata.product_id),
        slot_name=metadata.slot_name,
        version=one.version,
        file_size_bytes=one.object.size,
        outcome=one.outcome,
        savegame_id=str(one.slot_id) if is_applied else "",  # the id of a new save is chosen when it is applied
    )


def _refused(one: RefusedObject) -> messages.ReconciledObject:
    found = messages.ReconciledObject(key=one.key, file_size_bytes=one.size, outcome=one.reason, detail=one.detail)
    if one.metadata:
        found.user_id, found.product_id = str(one.metadata.user_id), str(one.metadata.product_id)
        found.slot_name, found.version = one.metadata.slot_name, one.metadata.version
    return found


def _missing(one: ExpectedContent) -> messages.ReconciledObject:
    return messages.ReconciledObject(key=one.key, user_id=str(one.user_id), outcome="missing")
