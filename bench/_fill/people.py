"""What a user owns and has played: the draws that several domains show."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from random import Random

from _fill.binary import DAY, SECOND, uuid
from _fill.catalog import Product, popular
from _fill.draws import between, named_id

MEDIAN_GAMES, SPREAD = 1.42, 1.3
"""Of the logarithm of the number of games: 4 in the median, 10 in the mean, none for every seventh user."""
COLLECTORS = 10_000
"""One user of so many owns a thousand games or more, as far as there are so many."""
MOST_OF_THE_CATALOG = 3
"""Nobody owns more than one product of so many."""
OLDEST_DAYS = 3650
REFUNDED, HIDDEN, PLAYED, RUNNING = 0.01, 0.03, 0.6, 0.12
SESSIONS = 1.5
"""The exponent of the distribution of sessions per game: 1 in the median, 2.6 in the mean, hundreds at most."""
MOST_SESSIONS = 300
SHORTEST, LONGEST = 120, 4 * 3600
"""Of a session, in seconds."""

_KINDS = (0.85, 0.93, 0.99)
_NAMES = ("order", "key", "gift", "support")
_ACQUISITIONS = {
    "order": "purchase",
    "key": "key_activation",
    "gift": "gift",
    "support": "gift",
    "claim": "free_to_play",
}
_FREE_BITS, _ID_BITS = 0xF << 76 | 0x3 << 62, 8 << 76 | 2 << 62


@dataclass(slots=True)
class Game:
    """A product in a library. Times are microseconds, sessions begin and end at whole seconds."""

    product: Product
    item_id: bytes
    added_at: int
    kind: str
    """Of the grant."""
    refunded_at: int | None
    is_hidden: bool
    sessions: list[tuple[int, int]]
    """Those that have ended, in their order; they don't touch."""
    running_since: int | None = None
    corrected_seconds: int = 0
    """What support has added to the sessions."""

    @property
    def acquisition(self) -> str | None:
        return None if self.refunded_at else _ACQUISITIONS[self.kind]

    @property
    def played_seconds(self) -> int:
        return sum(end - start for start, end in self.sessions) // SECOND

    @property
    def last_played_at(self) -> int | None:
        return self.running_since or (self.sessions[-1][1] if self.sessions else None)

    @property
    def is_played(self) -> bool:
        return bool(self.sessions) or self.running_since is not None


@dataclass
class Person:
    """A user. ``draw`` continues with the draws of the domains, which are always made in the same order."""

    number: int
    id: bytes
    draw: Random
    now: int
    games: list[Game] = field(default_factory=list)

    @cached_property
    def key(self) -> bytes:
        """The field of the user, with which nearly all rows begin."""
        return uuid(self.id)

    @cached_property
    def device(self) -> str:
        return f"pc-{self.id[-4:].hex()}"

    @property
    def owned(self) -> list[Game]:
        return [game for game in self.games if not game.refunded_at]

    @property
    def played(self) -> list[Game]:
        return [game for game in self.games if game.is_played]


def user_id(seed: int, number: int) -> bytes:
    """The id of the user of a number."""
    return named_id(f"{seed} user {number}")


def item_id(user: bytes, product: bytes) -> bytes:
    """The id of an item, as the library makes it."""
    number = int.from_bytes(sha256(user + product).digest()[:16], "big")
    return (number & ~_FREE_BITS | _ID_BITS).to_bytes(16, "big")


def person(seed: int, number: int, products: tuple[Product, ...], now: int) -> Person:
    """The user of a number, with their games. ``now`` is when all of this was stored."""
    made = Person(number, user_id(seed, number), Random(f"{seed} {number}"), now)
    draw = made.draw
    joined = now - int(OLDEST_DAYS * DAY * draw.random() ** 2) - DAY
    chosen: dict[int, Product] = {}
    wanted = _number_of_games(made, len(products))
    while len(chosen) < wanted:
        product = popular(draw, products)
        chosen[product.number] = product
    made.games = [_game(made, product, joined) for product in chosen.values()]
    playable = [game for game in made.owned if game.product.kind == "game"]
    if playable and draw.random() < RUNNING:
        _start(playable[-1], now - between(draw, 60, 7200) * SECOND)
    return made


def _number_of_games(of: Person, products: int) -> int:
    wanted = int(of.draw.lognormvariate(MEDIAN_GAMES, SPREAD))
    if of.number % COLLECTORS == 7:
        wanted += between(of.draw, 1000, 4000)
    return min(wanted, products // MOST_OF_THE_CATALOG)


def _game(of: Person, product: Product, joined: int) -> Game:
    draw = of.draw
    added = joined + int((of.now - DAY - joined) * draw.random()) // SECOND * SECOND
    kind = "claim" if product.is_free else _NAMES[bisect_right(_KINDS, draw.random())]
    is_refunded = kind == "order" and draw.random() < REFUNDED
    is_played = product.kind == "game" and not is_refunded and draw.random() < PLAYED
    return Game(
        product,
        item_id(of.id, product.id),
        added,
        kind,
        added + DAY // 2 if is_refunded else None,
        draw.random() < HIDDEN,
        _sessions(draw, added, of.now - DAY // 8) if is_played else [],
    )


def _sessions(draw: Random, first: int, end: int) -> list[tuple[int, int]]:
    """Sessions at any time between: each has a slot of its own, and ends in its first half."""
    count = min(int(draw.paretovariate(SESSIONS)), MOST_SESSIONS, (end - first) // (4 * SHORTEST * SECOND))
    found = []
    for place in range(count):
        slot = (end - first) // count // SECOND
        start = first // SECOND + place * slot + between(draw, 1, slot // 4)
        length = between(draw, SHORTEST // 2, min(slot // 4, LONGEST))
        found.append((start * SECOND, (start + length) * SECOND))
    return found


def _start(game: Game, at: int) -> None:
    """Starts a session that still runs."""
    game.running_since = at // SECOND * SECOND
