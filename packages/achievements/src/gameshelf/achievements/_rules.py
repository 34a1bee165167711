"""The decisions about achievements, on plain values: no I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

NO_TARGET = 1
"""The progress of a player who has unlocked an achievement without a target."""


def rarity(unlocks: int, owners: int) -> float | None:
    """Returns the owners who have unlocked, in percent of all owners, with one decimal, half up; None without owners
    (contract, 3.4).

    The two counters may be from slightly different times, so the result is limited to 0 to 100.
    """
    if owners <= 0:
        return None
    tenths = (2 * 1000 * unlocks + owners) // (2 * owners)
    return min(max(tenths, 0), 1000) / 10


def rarity_with(unlocks: int, owners: int, *, counts: bool) -> float | None:
    """Returns the rarity right after one more unlock, by an owner (who ``counts``) or by a borrower.

    The purchase of the owner who unlocks may not be in the counters yet.
    """
    if counts:
        unlocks += 1
        owners = max(owners, unlocks, 1)
    return rarity(unlocks, owners)


def share(part: int, whole: int) -> float:
    """Returns percent with one decimal, rounded down, so that 100 means all of it."""
    return (1000 * part // whole) / 10 if whole > 0 else 0.0


class Step(Enum):
    """The effect of a progress report."""

    NOTHING = "nothing"
    PROGRESS = "progress"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class Reached:
    """The result of a progress report: its effect, and the progress after it."""

    step: Step
    current: int


def advance(current: int | None, is_unlocked: bool, target: int | None, reported: int | None) -> Reached:
    """Returns the effect of a report. Progress never decreases, and unlocks at the target; without a known target it is
    stored and unlocks nothing.

    ``reported`` is None for an unlock, which does not depend on the target. An unlocked achievement does not change.
    """
    before = current or 0
    if is_unlocked:
        return Reached(Step.NOTHING, before)
    if reported is None:
        return Reached(Step.UNLOCK, target or max(before, NO_TARGET))
    reached = max(before, reported)
    if target is not None and reached >= target:
        return Reached(Step.UNLOCK, target)
    return Reached(Step.PROGRESS if reached > before else Step.NOTHING, reached)


def within(moment: datetime, since: datetime, now: datetime) -> datetime:
    """Returns a player's time, limited to between their first access and now (contract, 3.4): clocks of devices may be
    wrong.
    """
    return min(max(moment, since), now)
