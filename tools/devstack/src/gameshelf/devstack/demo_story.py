"""The actions of the demo's players, which are sent over REST once, when the data directory is new.

Anna has played for two weeks, has unlocked some achievements, sorts her games, wishes for others, saves on two
devices (which disagree about one save), and shares with Vera.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from gameshelf.devstack import demo

_SECONDS = 10.0
_CATEGORIES = {
    "На выходные": ("iron-samovar", "ladoga-depths", "amber-coast"),
    "С друзьями": ("hedgehog-tactics", "baikal-drift"),
    "Пройдено": ("last-metro",),
}
_PLAYED = ("iron-samovar", "tundra-rangers", "ladoga-depths", "hedgehog-tactics", "baikal-drift")
_DEVICES = ("anna-pc", "steam-deck")
_UNLOCKED = (
    ("iron-samovar", "FIRST_STEP"),
    ("iron-samovar", "SECRET"),
    ("tundra-rangers", "FIRST_STEP"),
    ("ladoga-depths", "FIRST_STEP"),
    ("last-metro", "FIRST_STEP"),
)
_PROGRESS = (("iron-samovar", 10), ("tundra-rangers", 7), ("hedgehog-tactics", 3))
_WISHES: tuple[dict[str, Any], ...] = (
    {"slug": "salt-and-stars", "priority": 1, "min_discount_percent": 40},
    {"slug": "silent-orbit", "priority": 2, "target_price_minor": 15_000, "target_currency": "RUB"},
    {"slug": "night-tram", "notes": "Советовал Борис"},
    {"slug": "star-caravan"},
)


class StoryFailed(Exception):
    """The service refused what a player of the demo did; the message says what."""


class _Player:
    """One player of the demo, at the service's REST API."""

    def __init__(self, api: str, token: str) -> None:
        self._api, self._token = api, token

    def ask(self, method: str, path: str, attributes: Any = None, *, may_be: tuple[int, ...] = ()) -> Any:
        """The JSON of an answer, None for one without. Raises StoryFailed for a refusal that is not in ``may_be``."""
        body = None if attributes is None else json.dumps({"data": {"attributes": attributes}}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        status, answer = _send(method, self._api + path, body, headers)
        if status >= 400 and status not in may_be:
            raise StoryFailed(f"{method} {path}: {status} {answer.decode(errors='replace')[:300]}")
        return json.loads(answer) if answer else None


def play_story(api: str, token_of: Callable[[UUID], str], now: datetime) -> None:
    """Sends all actions; data that exists already stays. ``api`` is the REST API's base URL. Raises StoryFailed."""
    anna, vera = _Player(api, token_of(demo.ANNA)), _Player(api, token_of(demo.VERA))
    _play(anna, now)
    _achieve(anna, now)
    _sort(anna)
    for wish in _WISHES:
        known = {name: value for name, value in wish.items() if name != "slug"}
        attributes = {"product_id": _product(wish["slug"]), **known}
        anna.ask("POST", "/wishlist/items", attributes, may_be=(409,))
    _save(anna, now)
    _share(anna, vera)


def _product(slug: str) -> str:
    return str(demo.product_id(slug))


def _play(player: _Player, now: datetime) -> None:
    """A session or two an evening, on two devices, for two weeks."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sessions = []
    for day in range(1, 14):
        for part in range(1 + day % 2):
            start = today - timedelta(days=day) + timedelta(hours=16 + 3 * part, minutes=7 * day % 60)
            sessions.append(
                {
                    "client_session_id": f"demo-{start.date()}-{part}",
                    "product_id": _product(_PLAYED[(day + 2 * part) % len(_PLAYED)]),
                    "start_time": start.isoformat(),
                    "end_time": (start + timedelta(minutes=35 + 11 * (day % 7))).isoformat(),
                    "device_id": _DEVICES[(day + part) % 2],
                    "platform": "linux" if (day + part) % 2 else "windows",
                }
            )
    player.ask("POST", "/playtime/sessions/import", {"sessions": sessions})


def _achieve(player: _Player, now: datetime) -> None:
    """Unlocks the achievements of these two weeks, one every other day."""
    said = [
        {"achievement_id": str(demo.achievement_id(slug, api_name)), "unlocked": True} for slug, api_name in _UNLOCKED
    ]
    said += [
        {"achievement_id": str(demo.achievement_id(slug, "COLLECTOR")), "current_progress": current}
        for slug, current in _PROGRESS
    ]
    for number, one in enumerate(said):
        happened_at = now - timedelta(days=13 - number, hours=number)
        one |= {"client_id": f"demo-{number}", "happened_at": happened_at.isoformat(), "device_id": _DEVICES[0]}
    player.ask("POST", "/achievements/import", {"achievements": said})


def _sort(player: _Player) -> None:
    items = {
        item["attributes"]["product_id"]: item["id"]
        for item in player.ask("GET", "/items?limit=100&include_hidden=true")["data"]
    }
    for order, (name, slugs) in enumerate(_CATEGORIES.items()):
        made = player.ask("POST", "/categories", {"name": name, "display_order": order}, may_be=(409,))
        for slug in slugs if "data" in made else ():
            if item := items.get(_product(slug)):
                player.ask("PATCH", f"/items/{item}", {"category_ids": [made["data"]["id"]]})
    if item := items.get(_product("birch-and-blade")):
        player.ask("PATCH", f"/items/{item}", {"is_hidden": True})


def _save(player: _Player, now: datetime) -> None:
    """Uploads two saves. Two devices have continued the second one from the same version, so it conflicts."""
    desk, deck = _DEVICES
    _upload(player, "iron-samovar", "Автосохранение", {"level": 7, "hp": 82}, desk, now)
    _upload(player, "ladoga-depths", "Глава 3", {"chapter": 3}, desk, now)
    _upload(player, "ladoga-depths", "Глава 3", {"chapter": 3, "depth": 120}, desk, now)
    conflicting = {"chapter": 3, "depth": 95, "lamp": True}
    _upload(player, "ladoga-depths", "Глава 3", conflicting, deck, now, base_version=1)


def _upload(
    player: _Player, slug: str, name: str, state: dict[str, Any], device: str, now: datetime, **more: Any
) -> None:
    content = json.dumps(state, ensure_ascii=False).encode()
    asked = player.ask(
        "POST",
        "/savegames/upload-url",
        {
            "product_id": _product(slug),
            "save_slot_name": name,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            "client_modified_at": now.isoformat(),
            "device_id": device,
            **more,
        },
    )["data"]["attributes"]
    if asked["upload_required"]:
        status, answer = _send(asked["method"], asked["upload_url"], content, asked["headers"])
        if status >= 300:
            raise StoryFailed(f"an upload: {status} {answer.decode(errors='replace')[:300]}")
    # 409 is the conflict that is wanted.
    player.ask("POST", "/savegames/confirm-upload", {"internal_save_id": asked["internal_save_id"]}, may_be=(409,))


def _share(owner: _Player, member: _Player) -> None:
    invited = owner.ask("POST", "/family/links", {"shared_with_user_id": str(demo.VERA)}, may_be=(409,))
    if "data" in invited:
        member.ask("POST", f"/family/links/{invited['data']['id']}/accept", may_be=(409,))


def _send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        raise StoryFailed(f"{method} {url.partition('?')[0]}: {error}") from None
