"""Libraries: items, the grants that they come from, refunds and categories."""

from gameshelf.kernel.folding import fold_name

from _fill.binary import (
    DAY,
    FALSE,
    NULL,
    TRUE,
    Target,
    bigint,
    double,
    integer,
    text,
    time,
    uuid,
)
from _fill.draws import between, random_id
from _fill.people import Game, Person
from _fill.rows import Rows

ITEMS = Target(
    "library.user_library_items",
    "user_id id product_id product_type added_at acquisition_type installation_status installed_version_id "
    "installation_changed_at last_played_at total_playtime_seconds is_hidden user_rating rating_changed_at created_at "
    "updated_at",
)
GRANTS = Target(
    "library.ownership_grants",
    "user_id product_id kind source_id acquired_at ended_at created_at quantity ended_by",
)
FACTS = Target("library.order_facts", "user_id product_id source_id kind fact_id quantity occurred_at created_at")
CATEGORIES = Target("library.user_game_categories", "user_id id name display_order created_at updated_at name_key")
LINKS = Target("library.user_library_item_to_categories", "user_id library_item_id category_id")
LIBRARY = (ITEMS, GRANTS, FACTS, CATEGORIES, LINKS)

INSTALLED, RATED, SORTING, IN_CATEGORY = 0.2, 0.1, 0.3, 0.3
_NAMES = ("Любимые", "Кооператив", "На потом", "Пройденные")
_KEYS = tuple((text(name), text(fold_name(name))) for name in _NAMES)
_GRANTED = ("order", "key", "claim", "gift", "support", "refund", "order_facts")
_SHOWN = ("game", "dlc", "purchase", "key_activation", "free_to_play", "installed", "not_installed", "1.1")
_WORDS = {word: text(word) for word in (*_GRANTED, *_SHOWN)}
_ONE = bigint(1)


def add_library(rows: Rows, of: Person) -> None:
    """Adds the rows of a user's library. It shows playtime, so corrections have to be drawn before."""
    for game in of.games:
        _add_grant(rows, of, game)
        rows.add(ITEMS, *_item(of, game))
    if len(of.owned) >= 5 and of.draw.random() < SORTING:
        _add_categories(rows, of)


def _item(of: Person, game: Game) -> tuple[bytes, ...]:
    draw, added = of.draw, bigint(game.added_at)
    owned = _WORDS[game.acquisition] if game.acquisition else NULL
    is_installed = game.is_played and draw.random() < INSTALLED
    latest = game.last_played_at or game.refunded_at or game.added_at
    rating = double(between(draw, 1, 11) / 2) if game.is_played and draw.random() < RATED else NULL
    return (
        of.key,
        uuid(game.item_id),
        game.product.field,
        _WORDS[game.product.kind],
        NULL if game.refunded_at else added,
        owned,
        _WORDS["installed" if is_installed else "not_installed"],
        _WORDS["1.1"] if is_installed else NULL,
        added if is_installed else NULL,
        time(game.last_played_at),
        bigint(game.played_seconds + game.corrected_seconds),
        TRUE if game.is_hidden else FALSE,
        rating,
        NULL if rating is NULL else bigint(latest),
        added,
        bigint(latest),
    )


def _add_grant(rows: Rows, of: Person, game: Game) -> None:
    source = text(f"{game.kind}-{of.draw.getrandbits(64):016x}")
    added, ended = bigint(game.added_at), time(game.refunded_at)
    is_order = game.kind == "order"
    rows.add(
        GRANTS,
        of.key,
        game.product.field,
        _WORDS[game.kind],
        source,
        added,
        ended,
        added,
        _ONE if is_order else NULL,
        _WORDS["order_facts"] if game.refunded_at else NULL,
    )
    if game.refunded_at:
        fact = text(f"refund-{of.draw.getrandbits(64):016x}")
        rows.add(FACTS, of.key, game.product.field, source, _WORDS["refund"], fact, _ONE, ended, ended)


def _add_categories(rows: Rows, of: Person) -> None:
    made = bigint(of.now - between(of.draw, 1, 500) * DAY)
    for order in range(between(of.draw, 1, len(_KEYS) + 1)):
        category, (name, key) = uuid(random_id(of.draw)), _KEYS[order]
        rows.add(CATEGORIES, of.key, category, name, integer(order), made, made, key)
        for game in of.owned:
            if of.draw.random() < IN_CATEGORY:
                rows.add(LINKS, of.key, uuid(game.item_id), category)
