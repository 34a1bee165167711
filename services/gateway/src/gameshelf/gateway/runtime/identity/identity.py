"""The identity of a caller."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """A role of a caller."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Identity:
    """An identified caller. ``expires_at`` is None behind a trusted proxy, where there is no token."""

    user_id: UUID
    roles: frozenset[Role]
    expires_at: datetime | None = None


def parse_uuid(text: str) -> UUID:
    """Parses a UUID in the form of 36 characters. Raises ValueError, also for braces and ``urn:uuid:``."""
    parsed = UUID(text)
    if str(parsed) != text.lower():
        raise ValueError("not the usual form of a UUID")
    return parsed


class InvalidCredentials(Exception):
    """The caller could not be identified. The message has the reason, for the log; it never contains the token."""
