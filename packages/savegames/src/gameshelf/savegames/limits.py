"""How much and how long: what whoever composes the service may set."""

from dataclasses import dataclass
from datetime import timedelta

MAX_OPEN_UPLOADS = 64
"""How many uploads a user may have open (contract, section 3.6)."""
MAX_SLOTS = 1000
"""How many saves a product may have, not counting the trash."""
CONFIRM_FOR = timedelta(hours=1)
"""For how long after its URL has run out an upload can be confirmed (contract, section 3.6)."""
ATTEMPT_FOR = timedelta(hours=1)
"""After how long a confirmation that has not ended is given up, and the object that it made goes."""
REMEMBER_FOR = timedelta(days=30)
"""For how long a confirmed upload answers the same again."""
MAX_NUMBERS = 1000
"""Of how many names of a product whose saves are gone for good the highest number is kept apart."""
MAX_COMPARED = 256
"""How many versions from an upload's base on are read to find out whether a later one of them grew from it."""
MAX_RATIO = 100
"""How many times as large as the packed bytes the unpacked ones may be (contract, section 3.6)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The contract's defaults (sections 3.6 and 9)."""

    max_bytes: int = 50 * 1024**2
    """Of one file."""
    quota_bytes: int = 1024**3
    """Of a user, unless support has set another one."""
    product_quota_bytes: int = 0
    """Of a user's saves of one product; 0: none."""
    daily_bytes: int = 10 * 1024**3
    """How many bytes upload URLs are signed for, per user and day (UTC)."""
    max_versions: int = 10
    """Of a slot, beyond which history goes."""
    url_lives: timedelta = timedelta(seconds=300)
    trash_for: timedelta = timedelta(days=30)
    delete_grace: timedelta = timedelta(days=30)
    """For how long bytes outlive the commit that dropped them, so that a restored database finds them."""
