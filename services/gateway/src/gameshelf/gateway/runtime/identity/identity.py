"""A caller that has been identified."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a caller may be."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. ``expires_at`` is None where no token says so (behind a trusted proxy)."""

    user_id: UUID
    roles: frozenset[Role]
    expires_at: datetime | None = None


def parse_uuid(text: str) -> UUID:
    """The UUID, in the one form of 36 characters. Raises ValueError, also for braces and ``urn:uuid:``."""
    parsed = UUID(text)
    if str(parsed) != text.lower():
        raise ValueError("not the usual form of a UUID")
    return parsed


class Unauthenticated(Exception):
    """The caller could not be identified. The message says why, for the log; it never holds the token."""
