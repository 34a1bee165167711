"""The ids of items: UUIDs of version 8 that follow from user and product.

An id is a hash of both with the six bits set that say version and variant, so that validators accept it. Releases
before left those bits as they came; rows of theirs keep such an id until a job has rewritten it. So an id that comes in
is masked, and compared with every id that it can stand for: clients' old ids go on working without a table.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, cast, func

_FREE_BITS = 0xF << 76 | 0x3 << 62
"""The bits of a UUID, as a number, that say version and variant."""
_MASK = 8 << 76 | 2 << 62
_SPELLINGS = sorted(
    (version << 76 | variant << 62 for version in range(16) for variant in range(4)), key=lambda bits: bits != _MASK
)


def masked(item_id: UUID) -> UUID:
    """The id with the bits of version 8 and of the standard's variant set."""
    return UUID(int=item_id.int & ~_FREE_BITS | _MASK)


def spellings(item_id: UUID) -> Sequence[UUID]:
    """Every id that is the same once it is masked, the masked one first: 64 of them.

    Comparing with all of them is masking both sides, by an index.
    """
    rest = item_id.int & ~_FREE_BITS
    return [UUID(int=rest | bits) for bits in _SPELLINGS]


def bounds_of(item_id: UUID) -> tuple[UUID, UUID]:
    """The least and the greatest of an id's spellings. Other ids between them agree in the first 48 bits."""
    rest = item_id.int & ~_FREE_BITS
    return UUID(int=rest), UUID(int=rest | _FREE_BITS)


def item_id(user_id: UUID, product_id: UUID) -> UUID:
    """The id of a user's item of a product that has no row yet."""
    return masked(UUID(bytes=sha256(user_id.bytes + product_id.bytes).digest()[:16]))


def item_id_sql(user_id: Any, product_id: Any) -> Any:
    """``item_id`` in SQL."""
    both = func.uuid_send(user_id).op("||")(func.uuid_send(product_id))
    return _masked_octets(func.substr(func.sha256(both), 1, 16))


def masked_sql(stored_id: Any) -> Any:
    """``masked`` in SQL."""
    return _masked_octets(func.uuid_send(stored_id))


def _masked_octets(octets: Any) -> Any:
    versioned = func.set_byte(octets, 6, func.get_byte(octets, 6).op("&")(0x0F).op("|")(0x80))
    whole = func.set_byte(versioned, 8, func.get_byte(octets, 8).op("&")(0x3F).op("|")(0x80))
    return cast(cast(func.encode(whole, "hex"), Text), Uuid)
