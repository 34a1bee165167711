"""Reads of payloads that were replaced or deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.settings._history.store import ACCOUNT, NO_NAME
from gameshelf.settings._models import KeptPayload, LayerKind
from gameshelf.settings._rules import Json, from_text
from sqlalchemy import BigInteger, Integer, String, Text, Uuid, and_, bindparam, cast, func, or_, select, tuple_
from sqlmodel import col

_K = KeptPayload
_LARGEST = 2**63 - 1
_of_game = (col(_K.user_id) == user(), col(_K.product_id) == bindparam("product_id", type_=Uuid))
_kind, _name = bindparam("kind", type_=String), bindparam("name", type_=String)
_revision = bindparam("revision", type_=BigInteger)
_PAYLOAD = Statement(
    select(cast(col(_K.settings_payload), Text).label("payload")).where(
        *_of_game, col(_K.kind) == _kind, col(_K.name) == _name, col(_K.revision) == _revision
    )
)
_page = (
    select(
        col(_K.kind).label("layer"),
        col(_K.name),
        col(_K.revision),
        col(_K.settings_payload),
        col(_K.written_at),
        col(_K.ended_at),
        col(_K.ended_by),
    )
    .where(
        *_of_game,
        or_(
            col(_K.revision) < _revision,
            # Layers that were deleted together may have the same revision.
            and_(col(_K.revision) == _revision, tuple_(col(_K.kind), col(_K.name)) > tuple_(_kind, _name)),
        ),
    )
    .order_by(col(_K.revision).desc(), col(_K.kind), col(_K.name))
    .limit(bindparam("limit", type_=Integer))
    .subquery("page")
)
# The sizes are those of the page alone: PostgreSQL has to decompress the payloads.
_PAGE = Statement(
    select(
        _page.c.layer,
        _page.c.name,
        _page.c.revision,
        func.octet_length(cast(_page.c.settings_payload, Text)).label("size_bytes"),
        _page.c.written_at,
        _page.c.ended_at,
        _page.c.ended_by,
    ).order_by(_page.c.revision.desc(), _page.c.layer, _page.c.name)
)


@dataclass(frozen=True, slots=True)
class KeptPayloadView:
    """A payload that was replaced or deleted, without its content. Times are aware and in UTC."""

    layer: str
    """``account``, ``platform`` or ``device``."""
    name: str
    """The name of the platform or the device; empty for the account's layer."""
    revision: int
    size_bytes: int
    """The size of its JSON."""
    written_at: datetime | None
    """When it was written; None where it is not known."""
    ended_at: datetime
    ended_by: str
    """``replaced``, ``deleted`` or ``evicted``."""


_VIEW = RowReader(KeptPayloadView, _PAGE)
KeptPlace = tuple[int, str, str]
"""Where a page ended: the revision, the layer and the name of its last payload."""


class KeptPayloads:
    """Payloads that were replaced or deleted in the last 30 days. Each read is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def payload(
        self, user_id: UUID, product_id: UUID, layer: tuple[LayerKind, str] | None, revision: int
    ) -> Json | None:
        """Returns the payload that a layer, with None the account's, had at a revision; None where it is not kept."""
        kind, name = layer or (ACCOUNT, NO_NAME)
        row = await _PAYLOAD.first(
            self._connection, user_id=user_id, product_id=product_id, kind=kind, name=name, revision=revision
        )
        return None if row is None else from_text(row["payload"])

    async def of_game(
        self, user_id: UUID, product_id: UUID, after: KeptPlace | None, limit: int
    ) -> Sequence[KeptPayloadView]:
        """Returns the payloads of all layers of a game, the newest revision first."""
        revision, kind, name = after or (_LARGEST, "", "")
        rows = await _PAGE.all(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            revision=revision,
            kind=kind,
            name=name,
            limit=limit,
        )
        return _VIEW.read_all(rows)
