"""``libctl find``: what something is, and whose."""

import asyncio
import shlex
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import wait_for

TRACE = '"0af7651916cd43dd8448eb211c80319c"'
PURCHASE = "com.platform.payment.purchase.completed.v1"
PRODUCT = "com.platform.catalog.product.created.v1"


@pytest.fixture
def found(support):
    """Finds something: the objects by kind."""

    def find(*what):
        ran = support.run("--json", "find", *what)
        return {one["kind"]: one for one in ran.data["objects"]} if ran.code == 0 else {}

    return find


def announce(platform, product, **title):
    """Publishes what the Catalog says of a new product."""
    event = CloudEvent(PRODUCT, {"productId": str(product), "productType": "game", "newTitle": title})
    asyncio.run(publish(platform.kafka.address, [event]))


@pytest.fixture
def game(platform):
    """A game that the Catalog has announced."""
    product, word = uuid4(), f"zeb{uuid4().hex[:10]}"
    announce(platform, product, ru=f"Ёлки {word}", en=f"{word} Trees: Reborn")
    return product, word


def test_a_product_is_found_by_words_of_either_title_and_by_its_id(game, found, support):
    product, word = game
    wait_for(lambda: found(word))
    for words in ((word[:6],), ("reb", word[:8]), ("ёлк", word), ("ЕЛКИ", word), (str(product)[:8],), (product,)):
        assert found(*words)["product"]["id"] == str(product), words
    assert found(word, "spruces") == {}
    assert found(word)["product"]["title"] == f"{word} Trees: Reborn"
    ran = support.run("--language", "ru", "find", word)
    assert f"Ёлки {word}" in ran.out


def test_an_order_and_a_user_are_found_whole_and_by_their_beginnings(saver, found, support):
    order = f"order-{saver.id}"
    for what in (order, order[:14]):
        one = found(what)["order"]
        assert (one["id"], one["user_id"], one["products"]) == (order, str(saver.id), 1)
        assert one["next"] == [f"libctl orders show {order}"]
    for what in (saver.id, str(saver.id)[:8], str(saver.id).upper()[:10], saver.id.hex[:12]):
        assert found(what)["user"]["id"] == str(saver.id), what
    # A beginning of fewer characters is none: it could be anybody's.
    assert found(str(saver.id)[:7]) == {}
    assert found(order[:7]) == {}


def test_an_order_that_is_not_in_latin_letters_is_found_as_it_is_typed(saver, found):
    """Whatever the locale of the database knows of upper case."""
    order = f"ПОДАРОК-{saver.id.hex.upper()}"
    items = [{"productId": str(saver.product), "productType": "game", "quantity": 1}]
    data = {"userId": str(saver.id), "orderId": order, "items": items}
    asyncio.run(publish(saver.platform.kafka.address, [CloudEvent(PURCHASE, data)]))
    wait_for(lambda: found(order))
    for what in (order, order[:14], order[:8] + order[8:].lower()):
        assert found(what)["order"]["id"] == order, what
    assert found(order[:7]) == {}


def test_a_save_its_upload_and_its_conflict_are_found(saver, found, support):
    save, conflict = saver.diverges()
    one = found(save[:8])["save"]
    assert (one["id"], one["user_id"], one["product_id"], one["name"]) == (
        save,
        str(saver.id),
        str(saver.product),
        "slot",
    )
    assert one["next"] == [f"libctl saves versions {saver.id} {save}"]
    other = found(conflict)["conflict"]
    assert (other["parent_id"], other["state"], other["name"]) == (save, "open", "slot")
    begun = saver.post(
        "/savegames/upload-url",
        product_id=str(saver.product),
        save_slot_name="other",
        file_size_bytes=5,
        file_hash_sha256="0" * 64,
        device_id="pc",
    ).json()["data"]["attributes"]["internal_save_id"]
    upload = found(begun)["upload"]
    assert (upload["user_id"], upload["state"], upload["name"]) == (str(saver.id), "open", "other")
    assert saver.http.delete(f"/savegames/{save}").status_code == 204
    trashed = found(save)["save"]
    assert (trashed["state"], trashed["next"][0]) == ("in_trash", f"libctl saves restore {saver.id} {save}")


def test_a_session_is_found_while_it_runs_and_later(saver, found):
    started = saver.post("/playtime/sessions/start", product_id=str(saver.product), device_id="desk", platform="linux")
    session = started.json()["data"]["id"]
    one = found(session)["session"]
    assert (one["user_id"], one["name"], one["state"]) == (str(saver.id), "desk", "running")
    assert saver.http.post(f"/playtime/sessions/{session}/end").status_code == 200
    assert found(session[:8])["session"]["state"] == "ended"


def test_a_link_is_found_with_both_users(saver, found):
    member = uuid4()
    made = saver.post("/family/links", shared_with_user_id=str(member), mode="all")
    assert made.status_code == 201, made.text
    one = found(made.json()["data"]["id"])["link"]
    assert (one["user_id"], one["other_user_id"], one["state"]) == (str(saver.id), str(member), "pending_approval")


def test_an_audit_entry_and_a_dead_letter_are_found(saver, found, admin, support, platform):
    done = admin.applies("quota", "set", saver.id, "2GiB")
    entry = found(done["audit_id"])["audit_entry"]
    assert (entry["user_id"], entry["name"]) == (str(saver.id), "quota set")
    assert entry["next"] == [f"libctl audit show {done['audit_id']}"]
    wrong = {"userId": str(saver.id), "orderId": "o", "items": "nothing"}
    asyncio.run(publish(platform.kafka.address, [CloudEvent("com.platform.payment.purchase.completed.v1", wrong)]))
    wait_for(lambda: support.data("events", "dlq", "list", "--user", saver.id)["total"])
    [letter] = support.data("events", "dlq", "list", "--user", saver.id)["dead_letters"]
    one = found(letter["dead_letter_id"])["dead_letter"]
    assert (one["user_id"], one["state"]) == (str(saver.id), letter["reason"])


def test_every_command_that_it_names_exists(saver, found, support):
    save, conflict = saver.diverges()
    for what in (saver.id, f"order-{saver.id}", save, conflict):
        for one in found(what).values():
            for command in one["next"]:
                words = [word if word != "USER" else str(saver.id) for word in shlex.split(command)[1:]]
                ran = support.run(*words)
                assert ran.code in (0, 3), (command, ran.err)


@pytest.mark.parametrize("columns", [80, 120])
def test_it_says_whose_something_is_and_what_to_type(saver, support, columns):
    conflict = saver.diverges()[1]
    support.columns = columns
    shown = support.shows("find", conflict)
    for words in (f"conflict {conflict}", f"of user {saver.id}", "slot, open"):
        assert words in shown
    # To be copied: in one piece, however narrow the terminal is.
    assert f"libctl conflicts show {saver.id} {conflict}\n" in shown


def test_nothing_of_an_erased_user_is_found(saver, found, admin):
    save = saver.saves(b"one")
    assert found(save)["save"]
    assert found(saver.id)["user"]
    admin.applies("user", "erase", saver.id, "--confirm", saver.id)
    assert found(save) == found(saver.id) == found(f"order-{saver.id}") == {}


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("somebody@example.test", "ACCOUNT_SERVICE_GRPC_ADDR is not set"),
        ("0af7651916cd43dd8448eb211c80319c", f"jq 'select(.trace_id == {TRACE})'"),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", f"jq 'select(.trace_id == {TRACE})'"),
        ("0AF7651916CD43DD8448EB211C80319C", "libctl user timeline USER --since TIME"),
        ("0af76519-16cd-43dd-8448-eb211c80319c", "which also knows erased accounts"),
        ("0af76", "at least 8 characters"),
        ("no-such-order-of-anybody", "the whole id"),
    ],
)
def test_where_nothing_is_found_it_says_what_to_try(support, what, hint):
    ran = support.run("find", what)
    assert (ran.code, ran.out) == (3, "")
    assert hint in ran.err


@pytest.mark.parametrize("wrong", [" ", "9" * 201])
def test_what_can_be_nothing_is_a_mistake(support, wrong):
    assert support.refused("find", wrong)[0] == 2


def test_an_id_may_be_shortened_where_it_is_the_beginning_of_one_thing(saver, found, support, platform, execute):
    save, conflict = saver.diverges()
    announce(platform, saver.product, en="Shortened")
    wait_for(lambda: found(saver.product))
    short = str(saver.id)[:8]
    assert support.data("library", "list", short, "--product", str(saver.product)[:8]) == support.data(
        "library", "list", saver.id, "--product", saver.product
    )
    assert support.data("saves", "versions", short, save[:13]) == support.data("saves", "versions", saver.id, save)
    assert support.run("conflicts", "show", saver.id.hex[:10], conflict[:9]).code == 0
    assert support.refused("library", "list", "00000000") == (3, "NOT_FOUND")
    assert support.refused("library", "list", short[:7]) == (2, "USAGE")
    # The id of something else is no user's.
    assert support.refused("library", "list", save[:8]) == (3, "NOT_FOUND")
    twin = f"{short}-0000-4000-8000-000000000001"
    execute(platform.dsn, f"INSERT INTO gateway.user_streams (user_id) VALUES ('{twin}')")
    ran = support.run("library", "list", short)
    assert ran.code == 2
    assert twin in ran.err
    assert str(saver.id) in ran.err
