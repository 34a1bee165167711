"""``libctl achievements show|explain|grant|revoke``, and the way back."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from rich.cells import cell_len

TITLE = "Far Horizon"


@pytest.fixture(scope="module")
def game(platform, staff):
    """A game with achievements that players can't just unlock, by their names."""
    ids = {name: uuid4() for name in ("product", "hundred", "secret", "server")}
    achievements = [
        {"id": str(ids["hundred"]), "apiName": "HUNDRED", "name": {"en": "A hundred wins"}, "targetProgress": 100},
        {"id": str(ids["secret"]), "apiName": "SECRET", "name": {"en": "The hidden door"}, "isHidden": True},
        {"id": str(ids["server"]), "apiName": "SERVER", "serverAuthoritative": True},
    ]
    data = {"productId": str(ids["product"]), "newTitle": TITLE, "achievements": achievements}
    event = CloudEvent("com.platform.catalog.product.updated.v1", data)
    asyncio.run(publish(platform.kafka.address, [event]))
    deadline = time.monotonic() + PATIENCE_SECONDS
    support = staff("support")
    while len(support.data("achievements", "show", uuid4(), ids["product"])["achievements"]) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return ids


@pytest.fixture
def user():
    return uuid4()


def status_of(support, user, game, name):
    found = support.data("achievements", "show", user, game["product"])["achievements"]
    [one] = [one["status"] for one in found if one["status"]["achievement_id"] == str(game[name])]
    return one


def test_every_achievement_is_shown_hidden_ones_too(support, user, game):
    shown = support.shows("achievements", "show", user, game["product"])
    for part in (TITLE, "A hundred wins", "0 of 100", "The hidden door (hidden)", "SERVER (by servers only)"):
        assert part in shown
    for name in ("hundred", "secret", "server"):
        assert str(game[name]) in shown
    data = support.data("achievements", "show", user, game["product"])
    assert data["title"] == TITLE
    assert [one["name"] for one in data["achievements"]] == ["A hundred wins", "The hidden door", ""]
    assert [one["server_authoritative"] for one in data["achievements"]] == [False, False, True]
    assert {one["status"]["is_unlocked"] for one in data["achievements"]} == {False}
    assert "no achievements" in support.shows("achievements", "show", user, uuid4())


def test_a_grant_unlocks_what_the_player_may_not_and_is_taken_back(admin, user, game):
    ran = admin.run("achievements", "grant", user, game["server"])
    assert f"SERVER (by servers only), of {TITLE}." in ran.err
    assert "is_unlocked" in ran.out
    assert not status_of(admin, user, game, "server")["is_unlocked"]

    done = admin.applies("achievements", "grant", user, game["server"], reason="the server lost it")
    assert not done["before"]["is_unlocked"]
    assert (done["after"]["is_unlocked"], done["after"]["current_progress"], done["can_undo"]) == (True, 1, True)
    assert status_of(admin, user, game, "server")["is_unlocked"]
    again = admin.data("achievements", "grant", user, game["server"])
    assert again["before"] == again["after"]

    undone = admin.applies("audit", "undo", done["audit_id"])
    assert undone["after"] == done["before"]
    assert not status_of(admin, user, game, "server")["is_unlocked"]


def test_a_revocation_takes_the_progress_and_comes_back_with_its_time(admin, user, game):
    granted = admin.applies("achievements", "grant", user, game["hundred"])
    done = admin.applies("achievements", "revoke", user, game["hundred"], reason="the player cheated")
    assert done["before"] == granted["after"]
    blank = {"is_unlocked": False, "unlocked_at": None, "current_progress": None, "rarity_at_unlock": None}
    assert done["after"] == blank
    undone = admin.applies("audit", "undo", done["audit_id"], reason="it was somebody else")
    assert undone["after"] == granted["after"]
    status = status_of(admin, user, game, "hundred")
    assert (status["current_progress"], status["unlocked_at"]) == (100, granted["after"]["unlocked_at"])
    shown = admin.shows("achievements", "show", user, game["product"])
    assert "100 of 100" in shown
    assert "1 of 3 unlocked  ████████░░░░░░░░░░░░░░░░  33%" in shown
    assert "100 of 100   ████████████" in shown
    assert granted["after"]["unlocked_at"][:16].replace("T", " ") in shown


def test_what_was_overtaken_is_neither_made_nor_taken_back(admin, user, game):
    seen = admin.data("achievements", "grant", user, game["secret"])["revision"]
    done = admin.applies("achievements", "grant", user, game["secret"])
    words = (
        "achievements",
        "grant",
        user,
        game["secret"],
        "--apply",
        "--reason",
        "as seen in the dry run",
        "--revision",
        seen,
    )
    assert admin.refused(*words) == (4, "PRECONDITION_FAILED")
    admin.applies("achievements", "revoke", user, game["secret"])
    ran = admin.run("audit", "undo", done["audit_id"], "--apply", "--reason", "it is no longer wanted")
    assert ran.code == 4
    assert "is_unlocked" in ran.err


@pytest.fixture
def http(platform, service, user):
    headers = {"Authorization": f"Bearer {platform.token(user)}", "X-Client-Id": "deck-7"}
    with httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def refused(support, user, game, name="hundred"):
    return support.data("achievements", "explain", user, game["product"], game.get(name, name))["refused"]


def buys(platform, http, user, game):
    items = [{"productId": str(game["product"]), "productType": "game", "quantity": 1}]
    data = {"userId": str(user), "orderId": f"order-{user}", "items": items}
    asyncio.run(publish(platform.kafka.address, [CloudEvent("com.platform.payment.purchase.completed.v1", data)]))
    wait_for(lambda: http.get("/items").json()["data"])


def test_refused_reports_are_explained(support, platform, http, user, game):
    assert "the game has not reported it" in support.shows("achievements", "explain", user, game["product"], "HUNDRED")
    for _ in range(3):
        assert http.post(f"/achievements/{game['hundred']}/unlock").status_code == 403
    url = f"/achievements/by-name/{game['product']}/HUNDRED/progress"
    report = {"data": {"attributes": {"current_progress": 1}}}
    assert http.post(url, json=report).status_code == 403
    wait_for(lambda: sum(one["attempts"] for one in refused(support, user, game)) == 4)
    for one in refused(support, user, game):
        assert (one["rule"], one["source"]) == ("PERMISSION_DENIED not_owned", "player deck-7")
    shown = support.shows("achievements", "explain", user, game["product"], "HUNDRED")
    for words in (
        TITLE,
        "A hundred wins  not unlocked",
        "may not play the product now: the player did not own the product",
        "by the player deck-7",
        "4 times since 20",
    ):
        assert words in shown
    buys(platform, http, user, game)
    assert http.post(f"/achievements/{game['server']}/unlock").status_code == 403
    wait_for(lambda: refused(support, user, game, "server"))
    [one] = refused(support, user, game, "server")
    assert one["rule"] == "PERMISSION_DENIED server_authoritative"
    assert "the player may play the product" in support.shows(
        "achievements", "explain", user, game["product"], game["server"]
    )


def test_a_report_of_what_there_is_not_is_explained(support, http, user, game):
    assert http.post(f"/achievements/by-name/{game['product']}/TYPO/unlock").status_code == 404
    offline = {"client_id": "a", "product_id": str(game["product"]), "api_name": "TYPO", "unlocked": True}
    element = {**offline, "happened_at": "2026-05-20T18:42:10Z", "device_id": "laptop"}
    body = {"data": {"attributes": {"achievements": [element]}}}
    imported = http.post("/achievements/import", json=body)
    assert '"rejected"' in imported.text, imported.text
    wait_for(lambda: len(refused(support, user, game, "TYPO")) == 2)
    assert {(one["rule"], one["source"], one["by_name"]) for one in refused(support, user, game, "TYPO")} == {
        ("ACHIEVEMENT_NOT_FOUND", "player deck-7", True),
        ("ACHIEVEMENT_NOT_FOUND imported", "player laptop", True),
    }
    shown = support.shows("achievements", "explain", user, game["product"], "TYPO")
    assert "the Catalog has announced no such achievement" in shown
    assert "there was no such achievement" in shown


def test_reports_by_a_wrong_name_or_id_show_what_may_be_meant(support, http, user, game):
    unknown, product = uuid4(), game["product"]
    assert http.post(f"/achievements/by-name/{product}/HUNDERT/unlock").status_code == 404
    assert http.post(f"/achievements/by-name/{uuid4()}/HUNDERT/unlock").status_code == 404  # of another product
    assert http.post(f"/achievements/{unknown}/unlock").status_code == 404
    assert http.post(f"/achievements/{game['secret']}/unlock").status_code == 403  # which is about that one alone

    def found():
        return support.data("achievements", "explain", user, product, "HUNDRED")

    wait_for(lambda: len(found()["refused_of_others"]) == 2)
    assert {one["reported"] for one in found()["refused_of_others"]} == {"HUNDERT", str(unknown)}
    assert (found()["refused"], found()["may_lack_older"]) == ([], False)
    shown = support.shows("achievements", "explain", user, product, "HUNDRED")
    assert "HUNDERT: there was no such achievement" in shown
    assert "the game has not reported it" not in shown


@pytest.mark.parametrize("called", ["A hundred wins", "a hundred WINS!", "hundred", "the id"])
def test_an_achievement_is_found_by_what_players_call_it(support, user, game, called):
    called = str(game["hundred"])[:8] if called == "the id" else called
    found = support.data("achievements", "explain", user, game["product"], called)
    assert found["achievement"]["status"]["api_name"] == "HUNDRED"
    shown = support.shows("achievements", "explain", user, game["product"], called)
    assert "A hundred wins  not unlocked" in shown


def test_a_refused_report_by_another_spelling_is_of_this_achievement(support, http, user, game):
    product = {"product": game["product"]}  # without the ids of its achievements, which ``refused`` would take
    assert http.post(f"/achievements/by-name/{game['product']}/hundred/unlock").status_code == 404
    wait_for(lambda: refused(support, user, product, "hundred"))
    assert refused(support, user, product, "HUNDRED") == []
    shown = support.shows("achievements", "explain", user, game["product"], "hundred")
    assert "the game reports it as HUNDRED" in shown
    assert "there was no such achievement" in shown


def test_ids_that_have_been_announced_since_are_not_among_the_unknown(support, platform, http, user):
    product, other = uuid4(), uuid4()
    late, foreign, unknown = (uuid4() for _ in range(3))
    for one in (late, foreign, unknown):
        assert http.post(f"/achievements/{one}/unlock").status_code == 404

    def reported():
        found = support.data("achievements", "explain", user, product, "FIRST")["refused_of_others"]
        return {one["reported"] for one in found}

    wait_for(lambda: reported() == {str(late), str(foreign), str(unknown)})
    of_each = {product: [{"id": str(uuid4()), "apiName": "FIRST"}, {"id": str(late)}], other: [{"id": str(foreign)}]}
    events = [
        CloudEvent("com.platform.catalog.product.updated.v1", {"productId": str(one), "achievements": achievements})
        for one, achievements in of_each.items()
    ]
    asyncio.run(publish(platform.kafka.address, events))
    wait_for(lambda: reported() == {str(unknown)})


def test_that_reports_may_be_missing_is_said(support, http, user, game):
    for number in range(100):
        assert http.post(f"/achievements/by-name/{uuid4()}/TYPO{number}/unlock").status_code == 404

    def shown():
        return support.shows("achievements", "explain", user, game["product"], "HUNDRED")

    wait_for(lambda: "older ones of this one may be missing" in shown())
    assert "the game has not reported it" not in shown()


@pytest.mark.parametrize("columns", [80, 120])
def test_an_explanation_fits_the_terminal(support, http, user, game, columns):
    support.columns = columns
    assert http.post(f"/achievements/{game['hundred']}/unlock").status_code == 403
    wait_for(lambda: refused(support, user, game))
    shown = support.shows("achievements", "explain", user, game["product"], game["hundred"])
    assert max(map(len, shown.splitlines())) <= columns


def test_an_erased_user_has_no_refused_reports(support, admin, http, user, game):
    assert http.post(f"/achievements/{game['hundred']}/unlock").status_code == 403
    admin.applies("user", "erase", user, "--confirm", user)
    assert support.refused("achievements", "explain", user, game["product"], "HUNDRED") == (3, "NOT_FOUND")


def test_support_looks_and_only_admins_change(support, admin, staff, user, game):
    for verb in ("grant", "revoke"):
        words = ("achievements", verb, user, game["hundred"], "--apply", "--reason", "please do it")
        assert support.refused(*words) == (1, "PERMISSION_DENIED")
        assert staff("user", user_id=user).refused(*words) == (1, "PERMISSION_DENIED")
    assert staff("user", user_id=user).refused("achievements", "show", user, game["product"])[1] == "PERMISSION_DENIED"
    done = admin.applies("achievements", "grant", user, game["hundred"])
    assert support.refused("audit", "undo", done["audit_id"], "--apply", "--reason", "it is mine now") == (
        1,
        "PERMISSION_DENIED",
    )
    assert status_of(support, user, game, "hundred")["is_unlocked"]


def test_an_achievement_that_there_is_not_is_not_found(admin, user):
    for verb in ("grant", "revoke"):
        assert admin.refused("achievements", verb, user, uuid4()) == (3, "ACHIEVEMENT_NOT_FOUND")


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_longer_than_the_terminal(staff, admin, user, game, columns):
    admin.applies("achievements", "grant", user, game["hundred"])
    somebody = staff("support")
    somebody.columns = columns
    shown = somebody.shows("achievements", "show", user, game["product"])
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert str(game["secret"]) in shown
    assert "████████████" in shown.split("progress")[1]
