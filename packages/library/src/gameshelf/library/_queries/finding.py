"""Finds things of all users by what support looks for: an id or its beginning, an order, words of a title."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.folding import fold_title
from gameshelf.kernel.row_reader import RowReader
from gameshelf.library._finding_indexes import TITLE_WORDS
from gameshelf.library._models import FamilyLink, Grant, Product
from sqlalchemy import Integer, String, Text, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col

MOST_READ = 1000
"""How many grants or products are read to find some, so that a short beginning costs no more than that."""
SHORTEST_WORD = 2
MOST_WORDS = 10
_BEHIND_ITSELF, _BEHIND_ALL = "\x01", "\U0010ffff"
"""What ends the range of one text, since NUL is in none, and that of all that begin so, since no text has this one."""


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A product that was found."""

    product_id: UUID


@dataclass(frozen=True, slots=True)
class FoundSource:
    """An order, key, gift, claim or support action that granted a user something."""

    user_id: UUID
    kind: str
    source_id: str
    products: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A family link that was found."""

    id: UUID
    owner_user_id: UUID
    shared_with_user_id: UUID
    status: str
    created_at: datetime


_G, _L, _P = Grant, FamilyLink, Product
_LOW, _HIGH = bindparam("low_id", type_=Uuid), bindparam("high_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)
_PRODUCTS = Statement(
    select(col(_P.product_id)).where(col(_P.product_id).between(_LOW, _HIGH)).order_by(col(_P.product_id)).limit(_LIMIT)
)
_QUERY = cast(cast(bindparam("words", type_=String), Text), TSQUERY)
_with_words = (
    select(col(_P.product_id), col(_P.sort_key_en))
    .where(literal_column(TITLE_WORDS).op("@@", is_comparison=True)(_QUERY))
    .limit(MOST_READ)
    .subquery("with_words")
)
_TITLES = Statement(
    select(_with_words.c.product_id).order_by(_with_words.c.sort_key_en, _with_words.c.product_id).limit(_LIMIT)
)
# Folded by the server alone: what its locale does not know keeps its case, in the index as in what is looked for.
_first = func.lower(bindparam("first", type_=String))
_begins = (
    select(col(_G.user_id), col(_G.kind), col(_G.source_id), col(_G.created_at))
    .where(
        func.lower(col(_G.source_id)).op("~>=~", is_comparison=True)(_first),
        func.lower(col(_G.source_id)).op("~<~", is_comparison=True)(
            func.concat(_first, bindparam("behind", type_=String))
        ),
    )
    .limit(MOST_READ)
    .subquery("begins")
)
_SOURCES = Statement(
    select(
        _begins.c.user_id,
        _begins.c.kind,
        _begins.c.source_id,
        func.count().label("products"),
        func.min(_begins.c.created_at).label("created_at"),
    )
    .group_by(_begins.c.user_id, _begins.c.kind, _begins.c.source_id)
    .order_by(_begins.c.source_id, _begins.c.kind, _begins.c.user_id)
    .limit(_LIMIT)
)
_link_id = func.uuid_send(col(_L.id))
"""As its index has it, which no statement of a user's path may use."""
_LINKS = Statement(
    select(col(_L.id), col(_L.owner_user_id), col(_L.shared_with_user_id), col(_L.status), col(_L.created_at))
    .where(_link_id.between(func.uuid_send(_LOW), func.uuid_send(_HIGH)))
    .order_by(_link_id)
    .limit(_LIMIT)
)
_PRODUCT = RowReader(FoundProduct, _PRODUCTS, _TITLES)
_SOURCE, _LINK = RowReader(FoundSource, _SOURCES), RowReader(FoundLink, _LINKS)
_WORD = re.compile(r"[^\W_]+")


class LibraryFinding:
    """Looks over all users and products, over one connection. Each read is one round trip, on an index."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def products(self, low: UUID, high: UUID, limit: int) -> Sequence[FoundProduct]:
        """Returns the products with an id from ``low`` to ``high``."""
        return _PRODUCT.read_all(await _PRODUCTS.all(self._connection, low_id=low, high_id=high, limit=limit))

    async def titled(self, text: str, limit: int) -> Sequence[FoundProduct]:
        """Returns the products whose titles have words that begin with those in the text, in the order of titles."""
        words = searched_words(text)
        if not words:
            return []
        query = "&".join(f"'{word}':*" for word in words)
        return _PRODUCT.read_all(await _TITLES.all(self._connection, words=query, limit=limit))

    async def sources(self, text: str, limit: int, *, is_beginning: bool) -> Sequence[FoundSource]:
        """Returns what granted something and whose id is a text in any case, or begins with it."""
        behind = _BEHIND_ALL if is_beginning else _BEHIND_ITSELF
        return _SOURCE.read_all(await _SOURCES.all(self._connection, first=text, behind=behind, limit=limit))

    async def links(self, low: UUID, high: UUID, limit: int) -> Sequence[FoundLink]:
        """Returns the links with an id from ``low`` to ``high``."""
        return _LINK.read_all(await _LINKS.all(self._connection, low_id=low, high_id=high, limit=limit))


def searched_words(text: str) -> list[str]:
    """Returns the words of a text by which titles are searched: without those of one character, unless all are."""
    words = _WORD.findall(fold_title(text))
    long = [word for word in words if len(word) >= SHORTEST_WORD]
    return (long or words)[:MOST_WORDS]
