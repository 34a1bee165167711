"""Limits and time spans. ``Limits`` holds those that the service may configure."""

from dataclasses import dataclass
from datetime import timedelta

MAX_OPEN_UPLOADS = 64
"""The highest number of open uploads per user (contract, section 3.6)."""
MAX_SLOTS = 1000
"""The highest number of saves per product, without the trash."""
CONFIRM_FOR = timedelta(hours=1)
"""How long an upload can be confirmed after its URL has expired (contract, section 3.6)."""
ATTEMPT_FOR = timedelta(hours=1)
"""After this time a confirmation that has not finished is abandoned, and its object is deleted."""
REMEMBER_FOR = timedelta(days=30)
"""How long the outcome of an upload is remembered for repeated confirmations."""
MAX_NUMBERS = 1000
"""For so many names of deleted saves per product the highest version number is kept separately."""
MAX_COMPARED = 256
"""At most so many versions after the base of an upload are read to find its relation to the head."""
MAX_RATIO = 100
"""The largest ratio of unpacked to packed size (contract, section 3.6)."""
MAX_SET_FILES = 10_000
"""The highest number of files of a set."""
MAX_SLOTS_PLANNED = 200
"""The highest number of saves that a plan is asked about."""
MAX_UNITS_ASKED = 200
"""The highest number of units of a save that a plan is asked about."""
MAX_HASHES = 1000
"""The highest number of hashes that a download is asked to leave out."""
MAX_WANTED = 100
"""The highest number of hashes that a download is asked for."""
MAX_DEVICE_STATES = 64
"""For so many devices per product it is remembered what they intended last."""
PENDING_FOR = timedelta(days=30)
"""How long a device counts as one that has something to upload."""
MAX_LIST_BYTES = 16 * 1024**2
"""The largest size of an unpacked list of files."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The contract's defaults (sections 3.6 and 9)."""

    max_bytes: int = 50 * 1024**2
    """The largest size of a file."""
    max_set_bytes: int = 1024**3
    """The largest sum of the sizes of a set's files."""
    quota_bytes: int = 1024**3
    """The quota of a user, unless support has set another one."""
    product_quota_bytes: int = 0
    """The quota of a user's saves of one product; 0: there is none."""
    daily_bytes: int = 10 * 1024**3
    """For so many bytes upload URLs are signed, per user and day (UTC)."""
    max_versions: int = 10
    """The number of versions of a slot beyond which its history is pruned."""
    url_lives: timedelta = timedelta(seconds=300)
    trash_for: timedelta = timedelta(days=30)
    delete_grace: timedelta = timedelta(days=30)
    """How long bytes are kept after the commit that dropped them, so that a restored database finds them."""
