"""One part of the users, as what COPY reads. It follows from the plan and the number of the part alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from _fill.achievements import add_achievements
from _fill.catalog import Product
from _fill.families import CIRCLE, add_family
from _fill.gateway import add_gateway
from _fill.library import add_library
from _fill.people import Person, person
from _fill.playtime import add_playtime
from _fill.rows import Rows
from _fill.saves import add_saves
from _fill.settings import add_settings
from _fill.wishlist import add_wishlist


@dataclass(frozen=True, slots=True)
class Plan:
    """What determines every row. ``now`` is when the fill began, in microseconds since 2000."""

    seed: int
    users: int
    users_of_a_part: int
    """A multiple of a circle. A part is in memory as a whole, some 20 kB per user."""
    now: int

    @property
    def parts(self) -> int:
        return -(-self.users // self.users_of_a_part)

    def users_of(self, part: int) -> range:
        return range(part * self.users_of_a_part, min((part + 1) * self.users_of_a_part, self.users))


@dataclass(frozen=True, slots=True)
class Part:
    """The copies of a part, by table, and the number of its rows."""

    number: int
    copies: Mapping[str, bytes]
    rows: int


def part_of(plan: Plan, number: int, products: tuple[Product, ...]) -> Part:
    """Generates a part."""
    rows = Rows()
    people = [person(plan.seed, user, products, plan.now) for user in plan.users_of(number)]
    for first in range(0, len(people), CIRCLE):
        add_family(rows, people[first : first + CIRCLE])
    for one in people:
        _add(rows, one, products)
    count = rows.count()
    return Part(number, rows.copies(Random(f"{plan.seed} part {number}")), count)


def _add(rows: Rows, one: Person, products: tuple[Product, ...]) -> None:
    add_playtime(rows, one)
    add_library(rows, one)
    add_achievements(rows, one)
    add_wishlist(rows, one, products)
    add_settings(rows, one)
    add_saves(rows, one)
    add_gateway(rows, one)
