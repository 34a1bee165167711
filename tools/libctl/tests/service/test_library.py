"""``libctl library list|grant|revoke``: support lists a library, grants and revokes products, and undoes that."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

TITLE = "Far Horizon"
BOUGHT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)


@pytest.fixture(scope="module")
def library(platform, service):
    """A game that the Catalog knows, and people who buy it."""
    return Shop(platform, service)


class Shop:
    def __init__(self, platform, service):
        self.platform, self.service, self.game = platform, service, uuid4()
        self.say("com.platform.catalog.product.updated.v1", productId=str(self.game), newTitle=TITLE)
        self.sells("of the first customer")  # the Catalog's event has arrived once the title is shown

    def say(self, kind, **data):
        asyncio.run(publish(self.platform.kafka.address, [CloudEvent(kind, data)]))

    def sells(self, order="order-1"):
        """Somebody who has bought the game."""
        user = uuid4()
        self.orders("completed", user, order)
        wait_for(lambda: self.sees(user) == [TITLE])
        return user

    def refunds(self, user, order="order-1"):
        self.orders("refunded", user, order)
        wait_for(lambda: self.sees(user) == [])

    def orders(self, what, user, order, quantity=1, **more):
        items = [{"productId": str(self.game), "productType": "game", "quantity": quantity}]
        data = {"userId": str(user), "orderId": order, "items": items, "purchaseTimestamp": BOUGHT.isoformat(), **more}
        self.say(f"com.platform.payment.purchase.{what}.v1", **data)

    def sees(self, user):
        """The titles that the user's devices show."""
        headers = {"Authorization": f"Bearer {self.platform.issuer.issue(str(user), ('user',), ttl=600)}"}
        found = httpx.get(f"{self.service.api}/items", headers=headers, timeout=PATIENCE_SECONDS).json()["data"]
        return [one["attributes"]["title"] for one in found]


def test_a_library_is_listed_with_every_reason_and_with_what_was_lost(library, support):
    user = library.sells()
    [item] = support.data("library", "list", user)["items"]
    assert (item["access"], item["acquisition_type"], item["title"]) == ("owned", "purchase", TITLE)
    assert [(one["kind"], one["source_id"], one["ended_at"]) for one in item["grants"]] == [("order", "order-1", None)]
    shown = support.shows("library", "list", user)
    for word in (TITLE, str(library.game), "purchase", f"order order-1: {BOUGHT:%Y-%m-%d %H:%M}"):
        assert word in shown
    library.refunds(user)
    [item] = support.data("library", "list", user)["items"]
    assert (item["access"], item["added_at"]) == ("refunded", None)
    assert "ended" in support.shows("library", "list", user, "--product", library.game)
    assert support.data("library", "list", user, "--product", uuid4())["total_items"] == 0
    assert "nothing" in support.shows("library", "list", uuid4())


@pytest.fixture(scope="module")
def bilingual(library):
    """A user with two games whose Russian and English titles are in opposite orders."""
    user, games = uuid4(), {}
    for ru, en in (("Аврора", "Zenith"), ("Яхта", "Anchor")):
        games[en] = uuid4()
        library.say("com.platform.catalog.product.updated.v1", productId=str(games[en]), newTitle={"ru": ru, "en": en})
        items = [{"productId": str(games[en]), "productType": "game", "quantity": 1}]
        library.say("com.platform.payment.purchase.completed.v1", userId=str(user), orderId=en, items=items)
    wait_for(lambda: sorted(map(str, library.sees(user))) == ["Аврора", "Яхта"])
    return user, games


def _titles(items):
    return [one["title"] for one in items["items"]]


def test_titles_are_in_the_chosen_language_and_sorted_by_it(bilingual, support):
    user, games = bilingual
    assert _titles(support.data("library", "list", user)) == ["Anchor", "Zenith"]
    assert _titles(support.data("--language", "ru", "library", "list", user)) == ["Аврора", "Яхта"]
    ran = support.run("--json", "access", "explain", user, games["Anchor"], LANG="ru_RU.UTF-8")
    assert ran.data["title"] == "Яхта"
    assert "Яхта" in ran.out
    assert "Anchor" in support.run("access", "explain", user, games["Anchor"], LANG="ru_RU.UTF-8", LC_ALL="C").out
    page = support.run("library", "list", user, "--limit", "1", "--page", "2", LIBCTL_LANGUAGE="ru")
    assert "Яхта" in page.out
    assert "Аврора" not in page.out


def test_an_unknown_language_is_a_mistake(support):
    assert support.refused("--language", "de", "library", "list", uuid4())[0] == 2


def test_one_of_very_many_grants_is_ended_with_an_entry(library, admin):
    user = uuid4()
    for number in range(101):
        library.orders("completed", user, f"order-{number:03}")
    revoke = ("library", "revoke", user, library.game, "--kind", "order", "--source", "order-100")
    wait_for(lambda: admin.run(*revoke).code == 0)
    done = admin.applies(*revoke)
    assert done["after"]["order order-100"]["ended_now"]
    assert done["after"]["acquisition_type"] == "purchase"
    assert admin.refused(*revoke, "--apply", "--reason", "once more, please") == (3, "NOT_FOUND")
    ran = admin.run("audit", "undo", done["audit_id"])
    assert ran.code == 4
    assert "too_many_grants" in ran.err


def test_the_copies_of_an_order_and_what_became_of_them_are_shown(library, support):
    user = uuid4()
    back = {"reinstatementId": "chargeback-1"}
    for what, quantity, more in (("completed", 3, {}), ("refunded", 2, {"refundId": "r-7"}), ("reinstated", 1, back)):
        library.orders(what, user, "order-1", quantity, **more)
    asked = ("library", "list", user, "--product", library.game)
    wait_for(lambda: len([1 for item in support.data(*asked)["items"] for _ in item["grants"][0]["facts"]]) == 2)
    [grant] = support.data(*asked)["items"][0]["grants"]
    assert (grant["quantity"], grant["copies_left"], grant["ended_by"]) == (3, 2, "")
    facts = [(one["kind"], one["fact_id"], one["quantity"]) for one in grant["facts"]]
    assert facts == [("refund", "id:r-7", 2), ("reinstatement", "id:chargeback-1", 1)]
    for shown in (support.shows(*asked), support.shows("access", "explain", user, library.game)):
        for words in ("3 copies, 2 left", "refunded 2 ", "(r-7)", "reinstated 1 ", "(chargeback-1)"):
            assert words in shown


def test_a_gift_of_support_is_owned_at_once_and_taken_back_alone(library, admin):
    user = uuid4()
    ran = admin.run("library", "grant", user, library.game)
    assert (ran.code, "--apply" in ran.err, "acquisition_type" in ran.out) == (0, True, True)
    assert library.sees(user) == []
    done = admin.applies("library", "grant", user, library.game, reason="paid twice")
    assert (done["before"]["acquisition_type"], done["after"]["acquisition_type"]) == (None, "gift")
    assert library.sees(user) == [TITLE]
    words = ("library", "grant", user, library.game, "--apply", "--reason", "once again, please")
    assert admin.refused(*words) == (4, "PRODUCT_ALREADY_OWNED")
    undone = admin.applies("audit", "undo", done["audit_id"])
    assert undone["after"]["acquisition_type"] is None
    assert library.sees(user) == []
    again = admin.applies("library", "grant", user, library.game)
    ends = [one["ended"] is None for name, one in again["after"].items() if name.startswith("support ")]
    assert ends.count(True) == ends.count(False) == 1  # the one that ended stays as it is
    assert library.sees(user) == [TITLE]


def test_a_gift_that_is_repeated_on_its_revision_is_one(library, admin):
    grant = ("library", "grant", uuid4(), library.game)
    words = (*grant, "--apply", "--reason", "paid twice for it", "--revision", admin.data(*grant)["revision"])
    first, again = admin.data(*words), admin.data(*words)
    assert (again["applied"], again["audit_id"]) == (True, first["audit_id"])
    assert [name for name in again["after"] if name.startswith("support ")] == [
        name for name in first["after"] if name.startswith("support ")
    ]


def test_a_product_nobody_knows_is_not_given(library, admin):
    assert admin.refused("library", "grant", uuid4(), uuid4()) == (3, "NOT_FOUND")


def test_a_revoked_game_stays_gone_and_undo_keeps_its_first_day(library, admin):
    user = library.sells()
    done = admin.applies("library", "revoke", user, library.game, reason="a stolen card")
    assert done["after"]["added_at"] is None
    assert library.sees(user) == []
    [item] = admin.data("library", "list", user)["items"]
    assert item["access"] == "refunded"
    undone = admin.applies("audit", "undo", done["audit_id"], reason="the wrong account")
    assert datetime.fromisoformat(undone["after"]["added_at"]) == BOUGHT
    assert sorted(name.split()[0] for name in undone["after"] if " " in name) == ["order", "support"]
    assert library.sees(user) == [TITLE]
    assert admin.refused("audit", "undo", done["audit_id"], "--apply", "--reason", "for any reason") == (
        4,
        "PRECONDITION_FAILED",
    )


def test_of_several_reasons_one_can_be_named(library, admin):
    user = library.sells()
    library.say(
        "com.platform.payment.gift.received.v1",
        userId=str(user),
        productId=str(library.game),
        giftId="gift-1",
        timestamp=datetime.now(UTC).isoformat(),
    )
    wait_for(lambda: len(admin.data("library", "list", user)["items"][0]["grants"]) == 2)
    named = ("library", "revoke", user, library.game, "--kind", "order", "--source", "order-1")
    done = admin.applies(*named)
    assert (done["before"]["acquisition_type"], done["after"]["acquisition_type"]) == ("purchase", "gift")
    assert library.sees(user) == [TITLE]
    assert admin.refused(*named) == (3, "NOT_FOUND")
    half = admin.run("library", "revoke", user, library.game, "--kind", "order")
    assert (half.code, "--source" in half.err) == (2, True)


def test_an_overtaken_change_is_neither_applied_nor_taken_back(library, admin):
    user = library.sells()
    seen = admin.data("library", "revoke", user, library.game)["revision"]
    library.refunds(user)
    words = (
        "library",
        "revoke",
        user,
        library.game,
        "--apply",
        "--reason",
        "as seen in the dry run",
        "--revision",
        seen,
    )
    assert admin.refused(*words) == (4, "PRECONDITION_FAILED")
    done = admin.applies("library", "grant", user, library.game)
    admin.applies("library", "revoke", user, library.game)
    ran = admin.run("audit", "undo", done["audit_id"], "--apply", "--reason", "it is too late")
    assert (ran.code, '"current":null' in ran.err) == (4, True)


def test_support_sees_but_only_an_admin_gives_and_takes_and_takes_back(library, support, admin):
    user = library.sells()
    for verb in ("grant", "revoke"):
        words = ("library", verb, user, library.game, "--apply", "--reason", "for a friend")
        assert support.refused(*words) == (1, "PERMISSION_DENIED")
    done = admin.applies("library", "revoke", user, library.game)
    assert support.refused("audit", "undo", done["audit_id"]) == (1, "PERMISSION_DENIED")
    entries = admin.data("audit", "list", "--user", user)["entries"]
    kinds = {(one["command"], one["kind"]) for one in entries}
    assert {("library grant", "refusal"), ("library revoke", "refusal"), ("library revoke", "change")} <= kinds


@pytest.mark.parametrize("columns", [80, 120])
def test_ids_are_whole_whatever_the_width(library, support, columns, monkeypatch):
    user = library.sells()
    monkeypatch.setattr(support, "columns", columns)
    shown = support.shows("library", "list", user)
    assert str(library.game) in shown
    assert max(map(len, shown.splitlines())) <= columns
