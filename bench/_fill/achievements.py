"""Achievements: the progress of users, and what they own. The counters of rarities are made of these at the end."""

from _fill.binary import DAY, FALSE, NULL, SECOND, TRUE, Target, bigint, double, integer, uuid
from _fill.draws import between
from _fill.people import Game, Person
from _fill.rows import Rows

PROGRESS = Target(
    "achievements.user_achievements",
    "user_id achievement_meta_id product_id is_unlocked unlocked_at current_progress rarity_at_unlock updated_at",
)
OWNED = Target("achievements.owned_products", "user_id product_id")
ACHIEVEMENTS = (PROGRESS, OWNED)

MEAN_OF_A_GAME, UNLOCKED = 3.5, 0.8


def add_achievements(rows: Rows, of: Person) -> None:
    """Adds the rows of what a user has unlocked, and of what they own personally."""
    for game in of.owned:
        rows.add(OWNED, of.key, game.product.field)
    for game in of.played:
        count = min(int(of.draw.expovariate(1 / MEAN_OF_A_GAME)), len(game.product.achievements))
        # The first ones of a game are those that most players have.
        for one in game.product.achievements[:count]:
            _add_progress(rows, of, game, uuid(one.id), one.target)


def _add_progress(rows: Rows, of: Person, game: Game, achievement: bytes, target: int | None) -> None:
    draw = of.draw
    is_unlocked = target is None or draw.random() < UNLOCKED
    at = bigint(min(game.added_at + between(draw, 1, 400) * DAY, of.now - between(draw, 1, 3600) * SECOND))
    progress = NULL if target is None else integer(target if is_unlocked else between(draw, 1, target))
    rarity = double(between(draw, 1, 10_000) / 100) if is_unlocked else NULL
    state = (TRUE, at) if is_unlocked else (FALSE, NULL)
    rows.add(PROGRESS, of.key, achievement, game.product.field, *state, progress, rarity, at)
