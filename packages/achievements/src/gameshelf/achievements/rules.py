"""Decisions on plain values: no I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

NO_TARGET = 1
"""The progress of somebody who unlocked an achievement without a target."""


def rarity(unlocks: int, owners: int) -> float | None:
    """Owners who unlocked over owners, in percent with one decimal, half up; None without owners (contract, 3.4).

    Counters may be a moment apart from each other, so the share is kept between 0 and 100.
    """
    if owners <= 0:
        return None
    tenths = (2 * 1000 * unlocks + owners) // (2 * owners)
    return min(max(tenths, 0), 1000) / 10


def rarity_with(unlocks: int, owners: int, *, counts: bool) -> float | None:
    """The rarity right after one more unlock, by an owner (who ``counts``) or by somebody the copy was lent to.

    The counters may not have heard yet that the one who unlocks owns the product.
    """
    if counts:
        unlocks += 1
        owners = max(owners, unlocks, 1)
    return rarity(unlocks, owners)


def share(part: int, whole: int) -> float:
    """Percent with one decimal, rounded down, so that 100 means all of it."""
    return (1000 * part // whole) / 10 if whole > 0 else 0.0


class Step(Enum):
    """What a report of progress comes to."""

    NOTHING = "nothing"
    PROGRESS = "progress"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a report of progress leaves somebody."""

    step: Step
    current: int


def advance(current: int | None, is_unlocked: bool, target: int | None, reported: int | None) -> Reached:
    """Progress never goes back and unlocks at the target; without a known target it is kept and unlocks nothing.

    ``reported`` is None for an unlock, whatever the target is. What is unlocked stays as it is.
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
    """A player's time moved to between their first access and now (contract, 3.4): clocks of devices are wrong."""
    return min(max(moment, since), now)
