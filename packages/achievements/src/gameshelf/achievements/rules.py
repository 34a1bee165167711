"""Decisions on plain values: no I/O, no clock."""

from dataclasses import dataclass
from enum import Enum

NO_TARGET = 1
"""What an achievement without a target counts to."""


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


def advance(current: int | None, is_unlocked: bool, target: int | None, reported: int) -> Reached:
    """Progress never goes back, and unlocks at the target; what is unlocked stays as it is."""
    total = target or NO_TARGET
    reached = max(current or 0, min(reported, total))
    if is_unlocked:
        return Reached(Step.NOTHING, current or 0)
    if reached >= total:
        return Reached(Step.UNLOCK, total)
    return Reached(Step.PROGRESS if reached > (current or 0) else Step.NOTHING, reached)
