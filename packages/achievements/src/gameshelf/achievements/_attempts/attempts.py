"""Refused attempts as plain values. No I/O."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gameshelf.achievements._commands import NamedAchievement

_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """What distinguishes attempts; alike ones are counted together."""

    subject: str
    """What was reported, as ``attempt_subject`` returns it."""
    rule: str
    """The code of the refusal, and where it has one the reason: ``PERMISSION_DENIED not_owned``."""
    source: str
    """Who reported it: the player, with the device if it has named itself, or a service."""


@dataclass(frozen=True, slots=True)
class RefusedAttempts:
    """Attempts that are alike. Times are aware and in UTC."""

    subject: str
    rule: str
    source: str
    attempts: int
    first_at: datetime
    last_at: datetime

    def again(self, at: datetime) -> "RefusedAttempts":
        """Counts one more."""
        return replace(self, attempts=self.attempts + 1, last_at=max(self.last_at, at))


def attempt_subject(of: UUID | NamedAchievement) -> str:
    """Returns the subject of attempts at an achievement, by its id or by its product and the beginning of its name."""
    return f"{of.product_id}/{of.api_name[:_MAX_NAME]}" if isinstance(of, NamedAchievement) else str(of)
