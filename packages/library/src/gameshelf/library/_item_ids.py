"""The ids of items: UUIDs of version 8 that follow from user and product.

An id is a hash of both with the six bits of version and variant set, so that validators accept it. Earlier releases
left those bits unset; their rows keep such an id until a job has rewritten it. So an id from a client is masked, and
compared with every spelling of it: old ids of clients continue to work without a table.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, cast, func

_FREE_BITS = 0xF << 76 | 0x3 << 62
"""The bits of version and variant in a UUID, as a number."""
_MASK = 8 << 76 | 2 << 62
_SPELLINGS = sorted(
    (version << 76 | variant << 62 for version in range(16) for variant in range(4)), key=lambda bits: bits != _MASK
)


def masked(item_id: UUID) -> UUID:
    """Returns the id with the bits of version 8 and of the standard's variant set."""
    return UUID(int=item_id.int & ~_FREE_BITS | _MASK)


def spellings(item_id: UUID) -> Sequence[UUID]:
    """Returns all 64 ids that are equal once they are masked, the masked one first.

    Comparing with all of them equals masking both sides, and can use an index.
    """
    rest = item_id.int & ~_FREE_BITS
    return [UUID(int=rest | bits) for bits in _SPELLINGS]


def bounds_of(item_id: UUID) -> tuple[UUID, UUID]:
    """Returns the least and the greatest spelling of an id. Other ids between them have the same first 48 bits."""
    rest = item_id.int & ~_FREE_BITS
    return UUID(int=rest), UUID(int=rest | _FREE_BITS)


def item_id(user_id: UUID, product_id: UUID) -> UUID:
    """Returns the id of a user's item of a product."""
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
