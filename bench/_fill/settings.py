"""Settings of games, with overlays of devices."""

import json

from _fill.binary import DAY, Target, bigint, jsonb, text
from _fill.draws import between
from _fill.people import Game, Person
from _fill.rows import Rows

GAMES = Target(
    "settings.game_specific_settings",
    "user_id product_id settings_payload revision account_revision counted_revision last_updated_at",
)
OVERLAYS = Target(
    "settings.game_settings_overlays", "user_id product_id kind name settings_payload revision last_updated_at"
)
SETTINGS = (GAMES, OVERLAYS)

CHANGED, WITH_OVERLAY = 0.3, 0.15
_DEVICE = text("device")


def add_settings(rows: Rows, of: Person) -> None:
    """Adds the rows of the settings of what a user plays."""
    for game in of.played:
        if of.draw.random() < CHANGED:
            _add_game(rows, of, game)


def _add_game(rows: Rows, of: Person, game: Game) -> None:
    draw, changed = of.draw, bigint(of.now - between(of.draw, 1, 900) * DAY)
    payload = {
        "graphics": {
            "quality": draw.choice(("low", "medium", "high")),
            "fullscreen": True,
            "fov": between(draw, 60, 110),
        },
        "audio": {"master": between(draw, 0, 101), "music": between(draw, 0, 101)},
        "controls": {"invert_y": False, "sensitivity": between(draw, 1, 100), "jump": "space", "crouch": "ctrl"},
    }
    revision, has_overlay = between(draw, 2, 20), draw.random() < WITH_OVERLAY
    newest, before = bigint(revision), bigint(revision - 1)
    account = before if has_overlay else newest
    rows.add(GAMES, of.key, game.product.field, jsonb(json.dumps(payload)), newest, account, newest, changed)
    if has_overlay:
        overlay = jsonb(json.dumps({"graphics": {"quality": "low"}}))
        rows.add(OVERLAYS, of.key, game.product.field, _DEVICE, text(of.device), overlay, newest, changed)
