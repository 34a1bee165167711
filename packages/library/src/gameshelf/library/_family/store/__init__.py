"""All SQL that changes links and seats, and the reads on which decisions depend.

Each statement that a request runs is about one user's rows.
"""

from gameshelf.library._family.store.links import (
    LINK_COLUMNS,
    MEMBERSHIP_COLUMNS,
    Link,
    LinkStore,
    has_status,
    is_living,
)
from gameshelf.library._family.store.seats import Seat, SeatStore, lock_of_own_copy, lookup_seat

__all__ = [
    "LINK_COLUMNS",
    "MEMBERSHIP_COLUMNS",
    "Link",
    "LinkStore",
    "Seat",
    "SeatStore",
    "has_status",
    "is_living",
    "lock_of_own_copy",
    "lookup_seat",
]
