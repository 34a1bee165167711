"""The library's part of ``find``: products, links, and what granted something."""

from collections.abc import Sequence

from gameshelf.gateway.runtime.support.finding import FoundThing, Sought
from gameshelf.kernel.database import Connection
from gameshelf.library import FoundLink, FoundProduct, FoundSource, LibraryFinding


async def find_in_libraries(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
    """Finds products by id and by title, orders, keys and gifts, and links. Four round trips at most."""
    finding, ids = LibraryFinding(connection), sought.ids
    products = await finding.products(ids.low, ids.high, limit) if ids else []
    known = {one.product_id for one in products}
    titled = [one for one in await finding.titled(sought.text, limit) if one.product_id not in known]
    sources = await finding.sources(sought.text, limit, is_beginning=sought.is_beginning)
    links = await finding.links(ids.low, ids.high, limit) if ids else []
    return [*map(_product, (*products, *titled)), *map(_source, sources), *map(_link, links)]


def _product(of: FoundProduct) -> FoundThing:
    return FoundThing(kind="product", id=str(of.product_id), product_id=of.product_id)


def _source(of: FoundSource) -> FoundThing:
    return FoundThing(kind=of.kind, id=of.source_id, user_id=of.user_id, products=of.products, created_at=of.created_at)


def _link(of: FoundLink) -> FoundThing:
    return FoundThing(
        kind="link",
        id=str(of.id),
        user_id=of.owner_user_id,
        other_user_id=of.shared_with_user_id,
        state=of.status,
        created_at=of.created_at,
    )
