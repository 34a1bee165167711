"""``libctl user timeline``: everything that happened to a player, the newest first."""

import asyncio
from datetime import datetime
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from gameshelf.libctl.happenings import KINDS


@pytest.fixture(scope="module")
def busy(platform, service):
    """A player to whom something of most kinds has happened, and their game."""
    return Busy(platform, service)


class Busy:
    """Somebody who does much."""

    def __init__(self, platform, service):
        self.platform, self.service = platform, service
        self.id, self.game, self.achievement, self.friend = uuid4(), uuid4(), uuid4(), uuid4()
        self.http = self.client(self.id)

    def client(self, user):
        headers = {"Authorization": f"Bearer {self.platform.token(user)}"}
        return httpx.Client(base_url=self.service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def says(self, kind, data):
        asyncio.run(publish(self.platform.kafka.address, [CloudEvent(f"com.platform.{kind}.v1", data)]))

    def does(self, method, path, status, **attributes):
        body = {"json": {"data": {"attributes": attributes}}} if attributes else {}
        answer = self.http.request(method, path, **body)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture(scope="module")
def player(busy, staff):
    game = str(busy.game)
    defined = [{"id": str(busy.achievement), "apiName": "FIRST"}]
    busy.says("catalog.product.updated", {"productId": game, "newTitle": "Far Horizon", "achievements": defined})
    busy.does("POST", "/wishlist/items", 201, product_id=str(uuid4()))
    busy.does("POST", f"/achievements/{busy.achievement}/unlock", 403 if _known(busy) else 404)
    items = [{"productId": game, "productType": "game", "quantity": 1}]
    order = {"userId": str(busy.id), "orderId": "order-7", "items": items}
    busy.says("payment.purchase.completed", order)
    wait_for(lambda: busy.http.get("/items").json()["data"])
    busy.does("POST", f"/achievements/{busy.achievement}/unlock", 200)
    busy.does("PUT", f"/settings/{game}", 201, settings_payload={"volume": 1})
    busy.does("PUT", f"/settings/{game}", 200, settings_payload={"volume": 2})
    session = busy.does("POST", "/playtime/sessions/start", 201, product_id=game, device_id="deck").json()["data"]["id"]
    busy.does("POST", f"/playtime/sessions/{session}/end", 200)
    busy.does("POST", "/family/links", 201, shared_with_user_id=str(busy.friend))
    support = staff("support")
    support.applies("quota", "set", busy.id, "2GiB", "--ticket", "T-9", reason="the cloud is full")
    wait_for(lambda: "achievement_refused" in kinds(support, busy))
    return busy


def _known(busy):
    wait_for(lambda: busy.http.get(f"/achievements/status/{busy.game}").json()["data"])
    return True


def entries(support, player, *words):
    """All that happened; other tests add refusals by support, and an import."""
    return support.data("user", "timeline", player.id, "--limit", "100", *words)["entries"]


def kinds(support, player, *words):
    return [one["kind"] for one in entries(support, player, *words)]


def test_all_that_happened_is_listed_newest_first(player, support):
    found = entries(support, player)
    assert {one["kind"] for one in found} == {
        "support",
        "family_as_owner",
        "session",
        "settings_changed",
        "settings_ended",
        "achievement_unlocked",
        "achievement_refused",
        "product_granted",
        "wish_added",
    }
    assert set(KINDS) >= {one["kind"] for one in found}
    times = [datetime.fromisoformat(one["at"]) for one in found]
    assert times == sorted(times, reverse=True)
    [session] = [one for one in found if one["kind"] == "session"]
    assert (session["title"], session["facts"]["device_id"]) == ("Far Horizon", "deck")
    [entry] = [one["facts"] for one in found if one["facts"].get("audit_kind") == "change"]
    assert (entry["command"], entry["ticket"], entry["reason"]) == ("quota set", "T-9", "the cloud is full")


def test_a_refused_report_is_of_its_product(player, support):
    player.does("POST", f"/achievements/by-name/{player.game}/TYPO/unlock", 404)
    wait_for(lambda: len(entries(support, player, "--kind", "achievement_refused")) == 2)
    by_name, by_id = entries(support, player, "--kind", "achievement_refused")
    assert by_name["facts"]["subject"] == f"{player.game}/TYPO"
    assert by_id["facts"]["subject"] == str(player.achievement)
    for one in (by_name, by_id):
        assert (one["product_id"], one["title"]) == (str(player.game), "Far Horizon")
    support.columns = 200
    shown = " ".join(support.shows("user", "timeline", player.id).split())
    assert "report of achievement TYPO by the player" in shown
    assert "refused: the player did not own the product" in shown


def test_kinds_and_times_filter_it(player, support):
    assert set(kinds(support, player, "--kind", "session", "--kind", "support")) == {"support", "session"}
    [session] = entries(support, player, "--kind", "session")
    later = kinds(support, player, "--since", session["at"])
    earlier = kinds(support, player, "--until", session["at"])
    assert later[-1] == "session"
    assert "session" not in earlier
    assert len(later) + len(earlier) == len(entries(support, player))
    assert kinds(support, player, "--until", "2020-01-01") == []
    assert support.refused("user", "timeline", player.id, "--cursor", "x") == (2, "VALIDATION_ERROR")
    assert support.run("user", "timeline", player.id, "--kind", "nothing").code == 2


def test_pages_follow_each_other(player, support):
    whole, found, cursor = entries(support, player), [], ""
    while True:
        page = support.data("user", "timeline", player.id, "--limit", "2", *(("--cursor", cursor) if cursor else ()))
        found += page["entries"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == whole


def test_what_happened_at_one_time_is_listed_once(player, support):
    """An import gives many achievements one time; a page may end between them."""
    ids = [uuid4() for _ in range(7)]
    defined = [{"id": str(one), "apiName": f"A{number}"} for number, one in enumerate(ids)]
    player.says("catalog.product.updated", {"productId": str(player.game), "achievements": defined})
    wait_for(lambda: len(player.http.get(f"/achievements/status/{player.game}").json()["data"]) == 8)
    offline = {"unlocked": True, "happened_at": "2020-01-01T00:00:00Z"}
    elements = [{"client_id": str(one), "achievement_id": str(one), **offline} for one in ids]
    player.does("POST", "/achievements/import", 200, achievements=elements)
    found, cursor = [], ""
    while True:
        words = ("--kind", "achievement_unlocked", "--kind", "product_granted", "--limit", "3")
        page = support.data("user", "timeline", player.id, *words, *(("--cursor", cursor) if cursor else ()))
        found += [(one["kind"], one["facts"].get("achievement_id")) for one in page["entries"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(found) == len(set(found)) == 9


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal(player, support, columns):
    support.columns = columns
    shown = support.shows("user", "timeline", player.id)
    assert max(map(len, shown.splitlines())) <= columns
    words = " ".join(shown.split())
    assert "Far Horizon" in words
    assert "support: " in words


def test_strangers_see_nothing_and_erased_users_have_none(player, support, admin, staff):
    assert staff("user", user_id=player.id).refused("user", "timeline", player.id) == (1, "PERMISSION_DENIED")
    assert entries(support, Nobody()) == []
    gone = uuid4()
    admin.applies("user", "erase", gone, "--confirm", gone)
    assert support.refused("user", "timeline", gone) == (3, "NOT_FOUND")


class Nobody:
    """Somebody to whom nothing happened."""

    id = uuid4()
